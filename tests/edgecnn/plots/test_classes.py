"""The confusion matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from edgecnn import plots
from edgecnn_export.dataset import Dataset
from tests.edgecnn.plots.figures import scores, shown


def test_confusion(path: Path, data: Dataset) -> None:
    guesses = data.labels.copy()
    guesses[data.labels == 1] = np.array([0, 0, 0, 0, 0, 0, 2, 2, 2, 1])
    figure = plots.confusion(path, data, scores(guesses))
    axis = figure.axes[0]
    np.testing.assert_allclose(shown(axis), [[100, 0, 0], [60, 10, 30], [0, 0, 100]])
    numbers = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in axis.texts}
    assert numbers == {(0, 0): "100", (1, 0): "60", (1, 1): "10", (1, 2): "30", (2, 2): "100"}
    assert [text.get_color() for text in axis.texts] == ["white", "white", "black", "black", "white"]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(data.label_names)
    assert [label.get_text() for label in axis.get_xticklabels()] == list(data.label_names)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("Predicted label", "True label")


def test_confusion_shows_the_classes_that_occur(path: Path, data: Dataset) -> None:
    two = data.subset("two", np.flatnonzero(data.labels != 1))
    figure = plots.confusion(path, two, scores(two.labels))
    np.testing.assert_allclose(shown(figure.axes[0]), [[100, 0], [0, 100]])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["cat", "cow"]
    guesses = two.labels.copy()
    guesses[0] = 1  # a class without images, but given
    figure = plots.confusion(path, two, scores(guesses))
    np.testing.assert_allclose(shown(figure.axes[0]), [[90, 10, 0], [0, 0, 0], [0, 0, 100]])


def test_confusion_of_many_classes(path: Path) -> None:
    labels = np.arange(120)
    data = Dataset("many", np.zeros((120, 1, 1, 3), np.uint8), labels, tuple(f"${each}$" for each in labels))
    plots.confusion(path, data, np.eye(120, dtype=np.float32))
    with Image.open(path) as picture:
        assert picture.size == (3600, 3480)
