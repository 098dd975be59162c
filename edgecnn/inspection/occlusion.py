"""Where a network looks, found by hiding: for files that have no gradients.

Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]

_PARTS, _STEPS, _TOGETHER = 4, 4, 32


def occlusion(
    scores: Callable[[Pixels], Values],
    pixels: Pixels,
    classes: Sequence[int],
    hidden: Callable[[int, int], None] = lambda done, total: None,
) -> Values:
    """How much the probability of each class falls when a part of the picture is hidden.

    A square with a quarter of the shorter side, in the picture's mean colour, goes over the picture in steps of a
    quarter of itself, also over its borders.

    Args:
        scores: probabilities, shape (N, labels), for pictures, shape (N, height, width, 3).
        pixels: the picture, shape (height, width, 3).
        classes: indices of labels.
        hidden: is told how many of the pictures are done, and of how many.

    Returns:
        For each class and pixel the mean over the squares that hid it, from -1 to 1; below 0 the probability rises.
        Shape (classes, height, width).
    """
    height, width = pixels.shape[:2]
    side = max(1, min(height, width) // _PARTS)
    step = max(1, side // _STEPS)
    squares = [
        (slice(max(top, 0), top + side), slice(max(left, 0), left + side))
        for top, left in product(*(range(-(side // 2), each - side // 2, step) for each in (height, width)))
    ]
    colour, whole = pixels.mean((0, 1)).round().astype(np.uint8), scores(pixels[np.newaxis])[0, classes]
    total, times = np.zeros((len(classes), height, width), np.float32), np.zeros((height, width), np.float32)
    for begin in range(0, len(squares), _TOGETHER):
        batch = squares[begin : begin + _TOGETHER]
        pictures = np.repeat(pixels[np.newaxis], len(batch), 0)
        for picture, square in zip(pictures, batch, strict=True):
            picture[square] = colour
        for square, found in zip(batch, scores(pictures)[:, classes], strict=True):
            total[(slice(None), *square)] += (whole - found)[:, np.newaxis, np.newaxis]
            times[square] += 1
        hidden(begin + len(batch), len(squares))
    return total / times
