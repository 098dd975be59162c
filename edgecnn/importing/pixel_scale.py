"""What was done to pixels before a network of others saw them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from edgecnn.zoo.preprocessing import caffe, included, tf, torch, unit
from edgecnn_runtime.errors import UsageError

_SCALES: dict[str, Callable[[Any], Any]] = {
    "0..255": included,
    "0..1": unit,
    "-1..1": tf,
    "torch": torch,
    "caffe": caffe,
}
_LEAST_DEVIATION = 1e-3
_OF_COLOURS = ("torch", "caffe")


@dataclass(frozen=True)
class PixelScale:
    """A way from RGB pixels 0..255 to a network's input.

    Attributes:
        word: its name, or ``MEAN/DEVIATION`` in numbers.
        apply: the way, as layers on a tensor of shape (N, height, width, channels).
        bgr: whether the network was shown blue, green, red, as OpenCV reads pictures.
    """

    word: str
    apply: Callable[[Any], Any]
    bgr: bool = False

    def __str__(self) -> str:
        """As a person would say it."""
        return f"{self.word}, BGR" if self.bgr else self.word


def find(word: str, channels: int, bgr: bool) -> PixelScale:
    """The scale meant by ``--pixels`` and ``--bgr``.

    Args:
        word: one of the names, or ``MEAN/DEVIATION``, each one number or one for each channel.
        channels: of the network's input.
        bgr: whether the order of the colours is that of OpenCV.

    Raises:
        UsageError: the word is neither, or speaks of colours where the network sees none.
    """
    if bgr and channels == 1:
        raise UsageError("--bgr is about colours, and the network sees grey pictures")
    if word in _SCALES:
        if word in _OF_COLOURS and channels == 1:
            raise UsageError(f"--pixels {word} is about colours, and the network sees grey pictures")
        return PixelScale(word, _SCALES[word], bgr)
    try:
        mean, deviation = ([float(each) for each in part.split(",")] for part in word.split("/"))
    except ValueError:
        raise UsageError(
            f"--pixels {word} is not known; there are {', '.join(_SCALES)}, or MEAN/DEVIATION in numbers, for instance "
            "120.7/64.2 or 125.3,123.0,113.9/63.0,62.1,66.7"
        ) from None
    if any(len(part) not in (1, channels) for part in (mean, deviation)) or not all(
        math.isfinite(each) for each in (*mean, *deviation)
    ):
        raise UsageError(f"--pixels {word} needs one number a side, or one for each channel")
    if not min(deviation) >= _LEAST_DEVIATION:
        raise UsageError(f"--pixels {word} divides by nearly nothing; deviations are those of pixels from 0 to 255")
    return PixelScale(word, partial(_standardised, mean * (channels // len(mean)), deviation), bgr)


def usual(channels: int) -> list[PixelScale]:
    """What networks are trained on most often, the simplest first."""
    if channels == 1:
        return [PixelScale(word, apply) for word, apply in _SCALES.items() if word not in _OF_COLOURS]
    plain = [PixelScale(word, apply) for word, apply in _SCALES.items()]
    return plain + [PixelScale(each.word, each.apply, bgr=True) for each in plain if each.word != "caffe"]


def _standardised(mean: list[float], deviation: list[float], pixels: Any) -> Any:
    from keras import layers

    deviation = deviation * (len(mean) // len(deviation))
    scale = [1 / each for each in deviation]
    offset = [-middle / each for middle, each in zip(mean, deviation, strict=True)]
    return layers.Rescaling(scale, offset=offset, name="normalise")(pixels)
