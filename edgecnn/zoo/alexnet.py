"""AlexNet in its two-group form."""

from __future__ import annotations

from typing import Any

from edgecnn.zoo.local_response import local_response
from edgecnn.zoo.network import Network
from edgecnn.zoo.preprocessing import centre


def _alexnet(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = centre(pixels)
    x = layers.Conv2D(96, 11, strides=4, activation="relu", name="conv_1")(x)
    x = local_response(x, "local_response_1")
    x = layers.MaxPooling2D(3, strides=2, name="pool_1")(x)
    x = _two_groups(x, 256, 5, "conv_2")
    x = local_response(x, "local_response_2")
    x = layers.MaxPooling2D(3, strides=2, name="pool_2")(x)
    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv_3")(x)
    x = _two_groups(x, 384, 3, "conv_4")
    x = _two_groups(x, 256, 3, "conv_5")
    x = layers.MaxPooling2D(3, strides=2, name="pool_5")(x)
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(4096, activation="relu", name=f"dense_{number}")(x)
        x = layers.Dropout(0.5, name=f"dropout_{number}")(x)
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)


def _two_groups(x: Any, filters: int, size: int, name: str) -> Any:
    """A convolution of each half of the channels; in 2012 a GPU each.

    Keras compiles a convolution with ``groups=2`` apart with XLA, and the ONNX converter does not see into that.
    """
    from keras import layers, ops

    halves = [
        layers.Conv2D(filters // 2, size, padding="same", activation="relu", name=f"{name}_{group}")(half)
        for group, half in zip("ab", ops.split(x, 2, axis=-1), strict=True)
    ]
    return layers.Concatenate(name=name)(halves)


ALEXNET = Network(
    "alexnet",
    _alexnet,
    227,
    227,
    classes=1000,
    parameters=60_965_224,
    multiply_adds=724_406_816,
    source="Krizhevsky et al., 2012",
)
