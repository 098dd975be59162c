"""A classifier of others as ours are: from RGB pixels 0..255 to one probability for each label."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgecnn.importing.ending import ROUGH_TOLERANCE, TOLERANCE, ending, is_rough, last
from edgecnn.importing.flat_graph import FlatGraph, plain_name
from edgecnn.importing.pixel_scale import PixelScale
from edgecnn_export.dataset import Images, batches
from edgecnn_export.gate import Probabilities
from edgecnn_export.reference import predict
from edgecnn_runtime.errors import ExportError
from edgecnn_runtime.quiet import unwarned
from edgecnn_runtime.wording import counted

if TYPE_CHECKING:
    import keras

_LUMA = (0.299, 0.587, 0.114)
"""Of red, green and blue in the grey that Pillow and TensorFlow make (ITU-R BT.601)."""

_OURS = ("pixels", "grey", "normalise", "flat", "both_ways", "probabilities")
"""Names of our layers about the others."""

_NOISE = 8
_SEED = 10


@dataclass(frozen=True)
class Theirs:
    """A model as it was found.

    Attributes:
        model: the Keras model.
        height: of its input, in pixels.
        width: likewise.
        channels: 3 or 1.
        shape: of its input without N, which may have no axis for the one channel, or be a row of numbers.
        ending: what comes out: ``probabilities``, ``logits``, a ``logit`` or a ``sigmoid`` of two classes.
    """

    model: keras.Model
    height: int
    width: int
    channels: int
    shape: tuple[int, ...]
    ending: str

    @property
    def classes(self) -> int:
        """How many labels it tells apart."""
        return max(2, int(self.model.outputs[0].shape[-1]))

    @property
    def outputs(self) -> str:
        """What comes out, for people."""
        single = self.ending in ("logit", "sigmoid")
        return f"one {self.ending}" if single else f"{self.classes:,} {self.ending}"

    def probabilities(self, images: Images, scale: PixelScale) -> Probabilities:
        """The model's own answers, shape (N, classes), to RGB pixels 0..255, shape (N, height, width, 3), so scaled."""
        with unwarned:
            seen = (_seen(self, scale, each.astype(np.float32)) for each in batches(images))
            answers = [np.asarray(self.model(each, training=False)) for each in seen]
        return self._shares(np.concatenate(answers).astype(np.float64)).astype(np.float32)

    def _shares(self, given: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        if self.ending == "sigmoid":
            return np.concatenate([1 - given, given], -1)
        if self.ending == "probabilities":
            return given
        logits = np.concatenate([np.zeros_like(given), given], -1) if self.ending == "logit" else given
        powers: npt.NDArray[np.float64] = np.exp(logits - logits.max(-1, keepdims=True))
        return np.divide(powers, powers.sum(-1, keepdims=True))


def find(model: keras.Model, size: tuple[int, int] | None) -> Theirs:
    """What there is to know of a model before its pixels are.

    Args:
        model: as Keras loaded it.
        size: height and width to use, of a model that takes any.

    Raises:
        ExportError: it is not a classifier of single pictures, or takes pictures of any size and none is said.
    """
    inputs, outputs = (getattr(model, ends, None) or [] for ends in ("inputs", "outputs"))
    if len(inputs) != 1 or len(outputs) != 1 or isinstance(getattr(model, "output", None), dict):
        told = f"{counted(len(inputs), 'input')} and {counted(len(outputs), 'output')}"
        raise ExportError(
            f"the model has {told}; expected a picture in and an answer for each label out"
            f"{'' if inputs else ': give it an input (keras.Input) before it is saved'}"
        )
    given = tuple(inputs[0].shape[1:])
    shape = _in_three(given)
    if None in shape[:2] and size is None:
        raise ExportError("the model takes pictures of any size; name the one to use with --size, for instance 224x224")
    if size and any(own not in (None, asked) for own, asked in zip(shape[:2], size, strict=True)):
        raise ExportError(f"the model takes pictures of {shape[0]} x {shape[1]} pixels and no others; leave out --size")
    if len(outputs[0].shape) != 2:
        raise ExportError(f"the model gives {tuple(outputs[0].shape[1:])}; expected one answer for each label")
    height, width = (own or asked for own, asked in zip(shape[:2], size or shape[:2], strict=True))
    own = given if len(given) < 3 else (height, width, shape[2])
    return Theirs(model, height, width, shape[2], own, ending(model, own))


def _in_three(shape: tuple[int | None, ...]) -> tuple[Any, ...]:
    """Height, width and channels of what a network takes; a row of numbers is a square picture, line by line."""
    match shape:
        case (int(count),):
            for channels in (1, 3):
                if channels * (side := isqrt(count // channels)) ** 2 == count:
                    return side, side, channels
        case (height, width):
            return height, width, 1
        case (height, width, 1 | 3 as channels):
            return height, width, channels
    raise ExportError(f"the model takes {shape}; expected height, width and 1 or 3 channels")


def standard(theirs: Theirs, scale: PixelScale, name: str) -> keras.Model:
    """A model of Keras's layers in one graph: takes RGB pixels 0..255, gives probabilities, in float32.

    Grey is made of the colours where the model takes one channel. A single sigmoid becomes two probabilities, and
    logits get the softmax that the training's loss had in it.

    Raises:
        ExportError: the result does not give the model's own answers.
    """
    import keras
    from keras import layers

    pixels = keras.Input((theirs.height, theirs.width, 3), name="pixels")
    graph = FlatGraph(_OURS, linear=last(theirs.model) if theirs.ending == "sigmoid" else None)
    answers = graph(theirs.model, _seen(theirs, scale, pixels))
    if theirs.ending in ("logit", "sigmoid"):
        halves = layers.Dense(2, use_bias=False, trainable=False, name="both_ways")
        answers = halves(answers)
        halves.set_weights([np.array([[-0.5, 0.5]], np.float32)])
    if theirs.ending != "probabilities":
        answers = layers.Softmax(name="probabilities")(answers)
    made = keras.Model(pixels, answers, name=plain_name(name, "model"))
    graph.take_weights()
    _compare(theirs, scale, made)
    return made


def _seen(theirs: Theirs, scale: PixelScale, x: Any) -> Any:
    """What the model sees of RGB pixels 0..255, a tensor of numbers or of a graph: shape (N, height, width, 3)."""
    from keras import layers, ops

    if theirs.channels == 1:
        grey = layers.Conv2D(1, 1, use_bias=False, trainable=False, name="grey")
        grey.build((None, theirs.height, theirs.width, 3))
        grey.set_weights([np.array(_LUMA, np.float32).reshape(1, 1, 3, 1)])
        x = grey(x)
    if scale.bgr:
        x = ops.take(x, [2, 1, 0], axis=-1)
    x = scale.apply(x)
    if len(theirs.shape) < 3:
        x = layers.Reshape(theirs.shape, name="flat")(x)
    return x


def _compare(theirs: Theirs, scale: PixelScale, made: keras.Model) -> None:
    shape = (_NOISE, theirs.height, theirs.width, 3)
    noise = np.random.default_rng(_SEED).integers(0, 256, shape, np.uint8)
    difference = np.abs(predict(made, noise) - theirs.probabilities(noise, scale)).max()
    if not difference <= (ROUGH_TOLERANCE if is_rough(theirs.model) else TOLERANCE):
        raise ExportError(
            f"the imported model gives other answers than the file (largest difference {difference:.1e}); it has "
            "layers that act otherwise outside the program that made it"
        )
