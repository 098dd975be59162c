"""What goes into a model and comes out of it, as an interpreter tells it."""

from __future__ import annotations

import json
from typing import NamedTuple


class Tensor(NamedTuple):
    """An input or output.

    Attributes:
        name: as the model has it.
        type: of its numbers, as numpy names them: ``uint8``, ``float32``.
        shape: of one image's; the batch, the first axis, is left out.
    """

    name: str
    type: str
    shape: tuple[object, ...]


class Signature(NamedTuple):
    """Input and output of a classifier."""

    input: Tensor
    output: Tensor

    def to_json(self) -> str:
        """JSON text, to be read by :meth:`from_json`."""
        return json.dumps(self)

    @classmethod
    def from_json(cls, text: str) -> Signature:
        """The signature that ``text`` was made of."""
        return cls(*(Tensor(name, kind, tuple(shape)) for name, kind, shape in json.loads(text)))
