"""Training curves: what is drawn, not how it looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgecnn import plots
from edgecnn.plots import style
from tests.edgecnn.plots.figures import pixels

HISTORY = [
    {"epoch": 1.0, "loss": 2.0, "accuracy": 0.25, "validation_loss": 1.9, "validation_accuracy": 0.3},
    {"epoch": 2.0, "loss": 1.5, "accuracy": 0.45, "validation_loss": 1.7, "validation_accuracy": 0.4},
    {"epoch": 3.0, "loss": 1.2, "accuracy": 0.55, "validation_loss": 1.6, "validation_accuracy": 0.45},
]


def test_curves(path: Path) -> None:
    figure = plots.curves(path, HISTORY, watched="validation")
    loss, accuracy = figure.axes
    drawn = {
        (axis.get_title(), line.get_label()): np.asarray(line.get_xydata()).tolist()
        for axis in (loss, accuracy)
        for line in axis.get_lines()
    }
    assert drawn == {
        ("Loss", "training"): [[1, 2.0], [2, 1.5], [3, 1.2]],
        ("Loss", "validation"): [[1, 1.9], [2, 1.7], [3, 1.6]],
        ("Accuracy", "training"): pytest.approx(np.array([[1, 25], [2, 45], [3, 55]])),
        ("Accuracy", "validation"): pytest.approx(np.array([[1, 30], [2, 40], [3, 45]])),
    }
    assert [axis.get_xlabel() for axis in figure.axes] == ["Epoch", "Epoch"]
    assert [axis.get_ylabel() for axis in figure.axes] == ["Loss", "Accuracy (%)"]
    assert {style.BLUE, style.ORANGE} < pixels(path)
    for axis in figure.axes:
        assert all(tick == int(tick) for tick in axis.get_xticks())
        legend = axis.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]


def test_curves_of_one_epoch_and_nothing_watched(path: Path) -> None:
    figure = plots.curves(path, [{"epoch": 1.0, "loss": 2.0, "accuracy": 0.2}], watched="validation")
    assert [[line.get_label() for line in axis.get_lines()] for axis in figure.axes] == [["training"]] * 2
    assert style.ORANGE not in pixels(path)


@pytest.mark.parametrize("key", ["loss", "accuracy"])
def test_one_curve_is_the_same_as_among_both(path: Path, key: str) -> None:
    both = plots.curves(path, HISTORY, watched="validation")
    (alone,) = plots.curve(path, HISTORY, key, watched="validation").axes
    (among,) = [axis for axis in both.axes if axis.get_title() == alone.get_title()]
    assert alone.get_title() == key.capitalize()
    for one, other in zip(alone.get_lines(), among.get_lines(), strict=True):
        np.testing.assert_array_equal(one.get_xydata(), other.get_xydata())
    assert alone.get_ylabel() == among.get_ylabel()
