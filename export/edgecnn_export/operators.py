"""A converted network as its operators: which of them a layer in higher precision needs beside it.

An 8-bit value between two layers costs accuracy at both its ends, so a layer is kept in higher precision together with
the operators without weights (pooling, additions, reshapes) that lie between it and another that is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np


class Operator(NamedTuple):
    """One node of a graph.

    Attributes:
        name: what the converter knows it by.
        inputs: names of the tensors that it reads, weights included.
        outputs: names of the tensors that it writes.
        weighted: whether it is a convolution or a matrix product with weights.
    """

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    weighted: bool


class Int8(Protocol):
    """A network calibrated for 8 bits in one format, to be quantized as a whole or in part."""

    @property
    def operators(self) -> Sequence[Operator]:
        """Its operators, in the order of execution."""

    def convert(self, kept: frozenset[str] = frozenset()) -> bytes:
        """The file's bytes, with the named operators in float."""

    def errors(self) -> dict[str, float]:
        """What quantization does to each operator's output by itself, by the operator's name.

        It is the root mean square of the error over that of the float values, channel by channel, and the mean over
        the channels: a few large channels must not hide what becomes of the small ones.
        """


class Network(Protocol):
    """A network on its way to one format, with what the precisions share."""

    @property
    def int8(self) -> Int8:
        """The same, for 8 bits."""

    def convert(self, precision: str) -> bytes:
        """The file's bytes in that precision."""


def between(operators: Sequence[Operator], kept: Iterable[str]) -> frozenset[str]:
    """``kept`` and the operators without weights that stand between two of them, or between one and the output."""
    chosen = set(kept)
    before, after = _nearest(operators), _nearest(operators[::-1], backwards=True)
    return frozenset(
        chosen
        | {
            each.name
            for each in operators
            if not each.weighted and before[each.name] & chosen and (after[each.name] & chosen or not after[each.name])
        }
    )


def readers(operators: Sequence[Operator], name: str) -> set[str]:
    """The next operators with weights after the named one."""
    return _nearest(operators[::-1], backwards=True)[name]


def ranked(operators: Sequence[Operator], errors: dict[str, float]) -> dict[str, float]:
    """The operators with weights and their errors, the largest first.

    What stands between an operator and the next with weights works on its output, and counts as its part. The last
    ones do not: every 8-bit file rounds its probabilities.
    """
    before, after = _nearest(operators), _nearest(operators[::-1], backwards=True)
    found = {each.name: errors.get(each.name, 0.0) for each in operators if each.weighted}
    for each in operators:
        if not each.weighted and after[each.name]:
            for name in before[each.name]:
                found[name] = max(found[name], errors.get(each.name, 0.0))
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _nearest(operators: Sequence[Operator], backwards: bool = False) -> dict[str, set[str]]:
    """For each operator the next ones with weights: those before it, or, ``backwards``, those after it."""
    found: dict[str, set[str]] = {}
    at: dict[str, set[str]] = {}
    for each in operators:
        sources, targets = (each.outputs, each.inputs) if backwards else (each.inputs, each.outputs)
        found[each.name] = set().union(*(at.get(tensor, set()) for tensor in sources))
        seen = {each.name} if each.weighted else found[each.name]
        for tensor in targets:
            at[tensor] = at.get(tensor, set()) | seen
    return found


def layer(name: str, layers: Sequence[str]) -> str:
    """The Keras layer that an operator was made of; converters join the names of what they fuse, and number them."""
    parts = re.split("[;/:]", name)
    stems = [*parts, *(re.sub(r"_\d+$", "", part) for part in parts)]
    return next((each for each in layers if each in stems), name)


def relative_error(expected: Any, got: Any) -> float:
    """Root mean square of the error over that of the values, both of shape (N, channels); mean over the channels."""
    size = np.sqrt((expected**2).mean(0))
    used = size > 0
    if not used.any():
        return 0.0
    return float((np.sqrt(((got - expected) ** 2).mean(0))[used] / size[used]).mean())
