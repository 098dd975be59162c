"""Figures of the convolution by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.patches import Rectangle

from edgecnn import plots
from edgecnn.inspection.convolution import Side
from edgecnn.plots.convolution import Result
from tests.edgecnn.plots.figures import shown

PICTURE = np.random.default_rng(2).integers(0, 256, (8, 12, 3), np.uint8)
SIDES = Side(8, 3, 2, 1), Side(12, 3, 2, 1)
RESULT = Result("stride 2", np.array([[[-3.0, 7.4, 300]]]).repeat(4, 0).repeat(6, 1), SIDES)
NUMBERS = "height ⌊(8 + 1 - 3) / 2⌋ + 1 = 4\nwidth ⌊(12 + 1 - 3) / 2⌋ + 1 = 6"


def test_before_kernel_and_after(path: Path) -> None:
    kernel = np.array([[0, -1, 0], [-1, 5.5, -1], [0, -1, 0]])
    figure = plots.by_hand(path, PICTURE, kernel, RESULT)
    before, middle, after = figure.axes
    np.testing.assert_array_equal(shown(before), PICTURE)
    np.testing.assert_array_equal(shown(middle), kernel)
    assert [text.get_text() for text in middle.texts] == ["0", "-1", "0", "-1", "5.5", "-1", "0", "-1", "0"]
    assert (shown(after) == [0, 7, 255]).all(), "cut to what a screen shows"
    assert [axis.get_title() for axis in figure.axes] == ["before\n8 x 12", "kernel\n3 x 3", "stride 2\n4 x 6"]
    assert figure.get_suptitle() == f"size = ⌊(input + padding - window) / stride⌋ + 1\n{NUMBERS}"


def test_strides_are_on_the_scale_of_the_picture(path: Path) -> None:
    figure = plots.strides(path, PICTURE, [RESULT] * 4, 2)
    assert len(figure.axes) == 4
    for axis in figure.axes:
        assert axis.get_title() == f"stride 2\n4 x 6\n{NUMBERS}"
        assert (axis.get_xlim(), axis.get_ylim()) == ((-1, 12), (8, -1))
        assert tuple(axis.get_images()[0].get_extent()) == (-0.5, 5.5, 3.5, -0.5)
        (outline,) = axis.patches
        assert isinstance(outline, Rectangle)
        assert outline.get_bbox().bounds == (-0.5, -0.5, 12, 8), "of the picture"


def test_one_formula_for_a_square(path: Path) -> None:
    figure = plots.pooling(path, PICTURE[:8, :8], [RESULT._replace(sides=(SIDES[0], SIDES[0]))] * 2)
    assert figure.get_suptitle().endswith("+ 1\n⌊(8 + 1 - 3) / 2⌋ + 1 = 4")
