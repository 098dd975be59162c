"""LeNet-5 (LeCun et al., 1998) as the lesson has it, with batch normalisation and dropout, which are younger."""

from __future__ import annotations

from typing import Any

from edgecnn.zoo.network import Network


def _lenet5(pixels: Any, classes: int) -> Any:
    from keras import layers, ops

    x = layers.Rescaling(1 / 255, name="normalise")(pixels)
    x = ops.image.rgb_to_grayscale(x)
    x = layers.Conv2D(6, 5, activation="tanh", name="conv_1")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.AveragePooling2D(2, name="pool_1")(x)
    x = layers.Conv2D(16, 5, activation="tanh", name="conv_2")(x)
    x = layers.AveragePooling2D(2, name="pool_2")(x)
    x = layers.Conv2D(120, 5, activation="tanh", name="conv_3")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(84, activation="tanh", name="dense")(x)
    x = layers.Dropout(0.2, name="dropout")(x)
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)


LENET5 = Network(
    "lenet5", _lenet5, 32, 32, classes=10, parameters=61_730, multiply_adds=416_520, source="LeCun et al., 1998"
)
