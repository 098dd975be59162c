"""The layers of a Keras model that can be looked at, and what they make of a picture."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    import keras

Values = npt.NDArray[np.float32]

_CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D", "Conv2DTranspose")
_POOLS = ("MaxPooling2D", "AveragePooling2D")


def stages(model: keras.Model) -> list[keras.Layer]:
    """The convolutions and pools of a model whose maps are larger than one pixel, in the order of computation.

    Raises:
        UsageError: no convolution is among them.
    """
    found = [layer for layer in model.layers if _has_maps(layer) and _kind(layer) in _CONVOLUTIONS + _POOLS]
    if not any(_kind(layer) in _CONVOLUTIONS for layer in found):
        raise UsageError(f"{model.name} has no convolution whose maps could be shown; choose a convolutional network")
    return found


def find(model: keras.Model, name: str) -> keras.Layer:
    """The layer of that name.

    Raises:
        UsageError: there is none, and the message names similar ones; or it has no feature maps.
    """
    layers = {layer.name: layer for layer in model.layers}
    if name not in layers:
        similar = difflib.get_close_matches(name, layers, n=3) or [layer.name for layer in stages(model)][:3]
        raise UsageError(f"{model.name} has no layer called {name!r}; there are, for instance, {', '.join(similar)}")
    if not _has_maps(layers[name]):
        raise UsageError(
            f"the layer {name} of {model.name} has no feature maps; there are, for instance, those of "
            f"{', '.join([layer.name for layer in stages(model)][:3])}"
        )
    return layers[name]


def last_with_maps(model: keras.Model) -> keras.Layer:
    """The last layer before the maps are pooled or flattened: where a class is known, and still where it is."""
    first = stages(model)[0]
    begun = False
    found = first
    for layer in model.layers:
        begun |= layer is first
        if begun and _has_maps(layer) and _kind(layer) not in _POOLS:
            found = layer
    return found


def with_filters(model: keras.Model) -> list[keras.Layer]:
    """The first two convolutions whose filters are larger than one pixel."""
    return [layer for layer in stages(model) if has_filters(layer)][:2]


def has_filters(layer: keras.Layer) -> bool:
    """Whether a layer has filters that are pictures."""
    return _kind(layer) in ("Conv2D", "DepthwiseConv2D") and max(layer.kernel.shape[:2]) > 1


def activations(model: keras.Model, layers: Sequence[keras.Layer], pixels: npt.NDArray[np.uint8]) -> list[Values]:
    """What comes out of layers for one picture.

    Args:
        model: takes RGB pixels 0..255.
        layers: of it, with feature maps.
        pixels: shape (height, width, 3).

    Returns:
        Of each layer the maps, shape (rows, columns, channels).
    """
    import keras

    outputs = keras.Model(model.inputs[0], [layer.output for layer in layers])(as_batch(pixels), training=False)
    return [np.asarray(keras.ops.convert_to_numpy(each)[0], np.float32) for each in keras.tree.flatten(outputs)]


def as_batch(pixels: npt.NDArray[np.uint8]) -> Values:
    """One picture as a model takes it, shape (1, height, width, 3)."""
    return pixels[np.newaxis].astype(np.float32)


def strongest(maps: Values, most: int = 16) -> list[int]:
    """The channels whose maps, shape (rows, columns, channels), vary most, in the network's own order."""
    return sorted(np.argsort(-maps.std((0, 1)), kind="stable")[:most].tolist())


def _kind(layer: Any) -> str:
    return type(layer).__name__


def _has_maps(layer: Any) -> bool:
    shape = getattr(layer.output, "shape", ())
    return len(shape) == 4 and all(shape[1:]) and max(shape[1:3]) > 1
