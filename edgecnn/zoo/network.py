"""What the rest of the program knows of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Network:
    """A network that can be built, trained and exported.

    Every network takes RGB pixels 0..255, shape (N, height, width, 3), and gives class probabilities, shape
    (N, classes): normalisation is its first layer and softmax its last.

    Attributes:
        name: name on the command line.
        build: makes the untrained Keras model for a number of classes. Keras is imported inside, so that the
            names can be listed without it.
        height: input height in pixels.
        width: input width in pixels.
        parameters: trainable and other weights with 10 classes.
        source: where the architecture comes from.
    """

    name: str
    build: Callable[[int], keras.Model]
    height: int
    width: int
    parameters: int
    source: str
