"""The first that a network does with pixels: whether it scales them itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

_OF_PLACES = ("InputLayer", "Random", "Resizing", "CenterCrop", "ZeroPadding", "Cropping", "Cast", "GetItem", "Stack")
"""How the names of operations begin that leave pixels as bright as they are; augmentation does so outside training."""

_ARITHMETIC = ("TrueDivide", "Divide", "Subtract", "Add", "Multiply")
_LARGE = 16
"""A number that pixels from 0 to 255 are divided by, or less, and those from 0 to 1 are not."""


def scales_pixels(model: Any) -> bool:
    """Whether the first that happens to pixels, but for their place and number, is scaling from 0..255."""
    first = next((each for each in _operations(model) if not _is_of_places(each)), None)
    return _scales_bytes(first)


def _operations(model: Any) -> Iterator[Any]:
    """A model's operations from its input on, those of models in it among them."""
    import keras

    for each in model.layers if isinstance(model, keras.Sequential) else model.operations:
        if isinstance(each, keras.Model):
            yield from _operations(each)
        else:
            yield each


def _is_of_places(operation: Any) -> bool:
    unchanged = getattr(operation, "scale", None) == 1 and getattr(operation, "offset", None) == 0
    return type(operation).__name__.startswith(_OF_PLACES) or unchanged


def _scales_bytes(operation: Any) -> bool:
    """Whether it makes small numbers of those up to 255, and not large ones of small ones."""
    import keras

    kind = type(operation).__name__
    if kind == "Rescaling":
        return bool(0 < np.abs(operation.scale).max() <= 1 / _LARGE)
    if kind == "Normalization":
        return bool(np.asarray(operation.variance).max() > 1)
    given = operation._inbound_nodes[0].arguments.args if kind in _ARITHMETIC else ()
    constants = [each for each in given if not isinstance(each, list | keras.KerasTensor)]
    numbers = [float(np.abs(np.asarray(each)).max()) for each in constants]
    return any(0 < each <= 1 / _LARGE if kind == "Multiply" else each >= _LARGE for each in numbers)
