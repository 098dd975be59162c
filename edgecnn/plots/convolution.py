"""The convolution by hand: before and after, with the sizes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from edgecnn.plots.style import PRINT, SIGNED, drawn, plain
from edgecnn.plots.tiles import show, tiles

_FORMULA = "⌊(input + padding - window) / stride⌋ + 1"
_MOST_NUMBERS = 9


class Side(Protocol):
    """A side of a picture and of the result; see :class:`edgecnn.inspection.convolution.Side`."""

    @property
    def formula(self) -> str:
        """The numbers, up to the result."""


class Result(NamedTuple):
    """What a convolution or a pool made.

    Attributes:
        caption: what was done.
        values: shape (height, width, 3), for 0..255.
        sides: its height and width.
    """

    caption: str
    values: Any
    sides: tuple[Side, Side]


def by_hand(path: Path, picture: Any, kernel: Any, result: Result) -> Figure:
    """The picture, the kernel with its numbers, and the result."""
    with drawn(path, 11, 5.2, PRINT) as figure:
        before, middle, after = figure.subplots(1, 3, width_ratios=(3, 2, 3))
        for axis in (before, middle, after):
            axis.set_axis_off()
        _place(before, picture, "before")
        _numbers(middle, kernel)
        _place(after, result.values, result.caption)
        _explain(figure, result.sides)
    return figure


def strides(path: Path, picture: Any, results: Sequence[Result], columns: int) -> Figure:
    """Results row by row on the scale of the picture, whose outline is drawn, with the sizes above each."""
    rows = len(results) // columns
    with drawn(path, 11, 0.8 + 4.4 * rows, PRINT) as figure:
        for axis, each in zip(tiles(figure, len(results), columns), results, strict=True):
            _place(axis, each.values, each.caption)
            axis.set_title(f"{axis.get_title()}\n{_numbers_of(each.sides)}")
            height, width = picture.shape[:2]
            axis.set(xlim=(-1, width), ylim=(height, -1))
            axis.add_patch(Rectangle((-0.5, -0.5), width, height, fill=False, edgecolor="#888888", linestyle="--"))
        figure.suptitle(f"size = {_FORMULA}")
    return figure


def pooling(path: Path, picture: Any, results: Sequence[Result]) -> Figure:
    """What is pooled, and each way to do it, enlarged to the same size."""
    with drawn(path, 11, 5.2, PRINT) as figure:
        first, *others = tiles(figure, 1 + len(results), 1 + len(results))
        _place(first, picture, "after ReLU")
        for axis, each in zip(others, results, strict=True):
            _place(axis, each.values, each.caption)
        _explain(figure, results[0].sides)
    return figure


def _place(axis: Axes, values: Any, caption: str) -> None:
    height, width = values.shape[:2]
    show(axis, np.clip(np.rint(values), 0, 255).astype(np.uint8))
    axis.set_title(f"{plain(caption)}\n{height} x {width}")


def _numbers(axis: Axes, kernel: Any) -> None:
    side, limit = len(kernel), max(float(np.abs(kernel).max()), 1e-9)
    show(axis, kernel, cmap=SIGNED, vmin=-1.5 * limit, vmax=1.5 * limit)
    axis.set_title(f"kernel\n{side} x {side}")
    if side <= _MOST_NUMBERS:
        for (row, column), value in np.ndenumerate(kernel):
            axis.text(column, row, f"{value:.3g}", ha="center", va="center", fontsize=min(14, 48 / side))


def _explain(figure: Figure, sides: tuple[Side, Side]) -> None:
    figure.suptitle(f"size = {_FORMULA}\n{_numbers_of(sides)}")


def _numbers_of(sides: tuple[Side, Side]) -> str:
    height, width = sides
    if height == width:
        return height.formula
    return f"height {height.formula}\nwidth {width.formula}"
