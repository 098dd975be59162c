"""The two networks of an introductory CNN lesson on CIFAR-10: a first one, and a deeper one.

The lesson gives their accuracy after 10 epochs as 61.56 % and 70.45 %.
"""

from __future__ import annotations

from typing import Any

from edgecnn.zoo.network import Network

SOURCE = "introductory CNN lesson"


def _baseline(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = layers.Rescaling(1 / 255, name="normalise")(pixels)
    x = layers.Conv2D(10, 3, activation="relu", name="conv")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(100, activation="relu", name="dense")(x)
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)


def _deeper(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = layers.Rescaling(1 / 255, name="normalise")(pixels)
    x = layers.Conv2D(8, 3, activation="relu", name="conv_1")(x)
    x = layers.MaxPooling2D(2, name="pool_1")(x)
    x = layers.Conv2D(512, 3, activation="relu", name="conv_2")(x)
    x = layers.MaxPooling2D(2, name="pool_2")(x)
    x = layers.Conv2D(256, 3, activation="relu", name="conv_3")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(100, activation="relu", name="dense")(x)
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)


BASELINE = Network("baseline", _baseline, 32, 32, classes=10, parameters=226_390, multiply_adds=469_000, source=SOURCE)
DEEPER = Network("deeper", _deeper, 32, 32, classes=10, parameters=1_628_214, multiply_adds=25_709_384, source=SOURCE)
