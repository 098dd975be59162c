"""What a Keras model is made of, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

# The input's positions are what a transposed convolution multiplies at; all others, the output's.
_TRANSPOSED = ("Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose")


@dataclass(frozen=True)
class Layer:
    """One layer of a model.

    Attributes:
        name: of the layer; within a model that is a layer itself, ``outer/inner``.
        type: name of its class.
        output_shape: of its first output, without the number of images.
        parameters: trainable and other weights.
        multiply_adds: of a convolution or dense layer for one image; 0 for any other.
    """

    name: str
    type: str
    output_shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


def total(layers: Iterable[Layer]) -> tuple[int, int]:
    """Parameters and multiply-adds of all of them together."""
    listed = list(layers)
    return sum(each.parameters for each in listed), sum(each.multiply_adds for each in listed)


def layer_table(model: keras.Model) -> list[Layer]:
    """The layers of a built model, channels last, in the order of computation.

    A model within it is listed layer by layer if it has weights, as one row if not.
    """
    return list(_layers(model, ""))


def _layers(model: keras.Model, prefix: str) -> Iterator[Layer]:
    # A functional model also consists of operations that are not layers, for instance an addition.
    for each in getattr(model, "operations", model.layers):
        name = prefix + each.name
        if hasattr(each, "layers") and each.weights:
            yield from _layers(each, f"{name}/")
            continue
        parameters = sum(math.prod(weight.shape) for weight in getattr(each, "weights", ()))
        output = each.output[0] if isinstance(each.output, list) else each.output
        yield Layer(name, type(each).__name__, tuple(output.shape[1:]), parameters, _multiply_adds(each))


def _multiply_adds(layer: Any) -> int:
    """Every weight of a kernel is used once at every position.

    That holds for groups and for depthwise kernels too: a weight then serves one group, or one channel.
    """
    # A separable convolution has two kernels, and no third.
    names = ("depthwise_kernel", "pointwise_kernel") if hasattr(layer, "pointwise_kernel") else ("kernel",)
    kernels = [getattr(layer, name) for name in names if getattr(layer, name, None) is not None]
    if not kernels:
        return 0
    shape = (layer.input if type(layer).__name__ in _TRANSPOSED else layer.output).shape
    return int(math.prod(shape[1:-1]) * sum(math.prod(kernel.shape) for kernel in kernels))
