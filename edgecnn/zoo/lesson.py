"""The two networks of the lesson: a first CNN for CIFAR-10, and a deeper one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecnn.zoo.network import Network

if TYPE_CHECKING:
    import keras

SOURCE = "introductory CNN lesson on CIFAR-10: 61.56 % (baseline) and 70.45 % (deeper) after 10 epochs"


def _baseline(classes: int) -> keras.Model:
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((32, 32, 3), name="pixels"),
            layers.Rescaling(1 / 255, name="normalise"),
            layers.Conv2D(10, 3, activation="relu", name="conv"),
            layers.MaxPooling2D(2, name="pool"),
            layers.Flatten(name="flatten"),
            layers.Dense(100, activation="relu", name="dense"),
            layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities"),
        ],
        name="baseline",
    )


def _deeper(classes: int) -> keras.Model:
    from keras import Sequential, layers

    return Sequential(
        [
            layers.Input((32, 32, 3), name="pixels"),
            layers.Rescaling(1 / 255, name="normalise"),
            layers.Conv2D(8, 3, activation="relu", name="conv_1"),
            layers.MaxPooling2D(2, name="pool_1"),
            layers.Conv2D(512, 3, activation="relu", name="conv_2"),
            layers.MaxPooling2D(2, name="pool_2"),
            layers.Conv2D(256, 3, activation="relu", name="conv_3"),
            layers.Flatten(name="flatten"),
            layers.Dense(100, activation="relu", name="dense"),
            layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities"),
        ],
        name="deeper",
    )


BASELINE = Network("baseline", _baseline, height=32, width=32, parameters=226_390, source=SOURCE)
DEEPER = Network("deeper", _deeper, height=32, width=32, parameters=1_628_214, source=SOURCE)
