"""The pictures of a convolution by hand, drawn one after another."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from edgecnn import plots
from edgecnn.inspection.convolution import Padding, Pixels, Pool, Values, convolve, pool, sides
from edgecnn.inspection.look import Drawn
from edgecnn.plots.convolution import Result

_POOL = 2


def pictures(folder: Path, picture: Pixels, kernel: Values, stride: int, padding: Padding) -> Iterator[Drawn]:
    """The convolution before and after; strides and paddings; max against average pooling of the result after ReLU.

    Args:
        folder: of the pictures.
        picture: shape (height, width, 3).
        kernel: shape (side, side).
        stride: in pixels.
        padding: of the first picture and of the one that is pooled.

    Raises:
        UsageError: the kernel does not fit into the picture, or nothing is left of the result to pool.
    """

    def result(by: int, how: Padding) -> Result:
        both = sides(picture, len(kernel), by, how)
        return Result(f"stride {by}, padding {how}", convolve(picture, kernel, by, how), both)

    chosen = result(stride, padding)
    rectified = np.maximum(chosen.values, 0)
    smaller = sides(rectified, _POOL, _POOL, "valid")
    kinds: tuple[Pool, ...] = ("max", "average")
    pooled = [Result(f"{kind} of {_POOL} x {_POOL}", pool(rectified, kind, _POOL), smaller) for kind in kinds]
    file = folder / "convolution.png"
    plots.by_hand(file, picture, kernel, chosen)
    yield Drawn(file, f"before and after: {chosen.caption}")
    by = sorted({1, 2, stride if stride > 2 else 3})
    paddings: tuple[Padding, ...] = ("valid", "same")
    file = folder / "stride-and-padding.png"
    plots.strides(file, picture, [result(each, how) for how in paddings for each in by], len(by))
    yield Drawn(file, f"strides {', '.join(map(str, by))}, with and without padding")
    file = folder / "pooling.png"
    plots.pooling(file, rectified, pooled)
    yield Drawn(file, f"max against average pooling of {_POOL} x {_POOL}, after ReLU")
