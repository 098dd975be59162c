"""Pictures with their answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgecnn import plots
from edgecnn.plots import style
from edgecnn_export.dataset import Dataset
from tests.edgecnn.plots.figures import pixels, scores, shown


def test_predictions(path: Path, data: Dataset) -> None:
    guesses = data.labels.copy()
    guesses[[2, 7]] = 0
    figure = plots.predictions(path, data, scores(guesses))
    assert len(figure.axes) == 25
    titles = [(axis.get_title(), axis.title.get_color()) for axis in figure.axes]
    assert titles[:3] == [("cat 80%", style.INK), ("dog 80%", style.INK), ("cat 80%\nis cow", style.RED)]
    assert [index for index, (_, colour) in enumerate(titles) if colour == style.RED] == [2, 7]
    for axis, image in zip(figure.axes, data.images, strict=False):
        np.testing.assert_array_equal(shown(axis), image)
    assert style.RED in pixels(path)


def test_fewer_predictions_than_places(path: Path, data: Dataset) -> None:
    few = data.subset("few", np.arange(2))
    figure = plots.predictions(path, few, scores(few.labels))
    assert [len(axis.get_images()) for axis in figure.axes] == [1, 1] + [0] * 23
    assert not any(axis.axison for axis in figure.axes), "an empty place stays empty"


def test_mistakes(path: Path, data: Dataset) -> None:
    probabilities = scores(data.labels)
    probabilities[4] = [0.6, 0.4, 0]  # a dog
    probabilities[8] = [0.9, 0, 0.1]  # a cow
    figure = plots.mistakes(path, data, probabilities)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["cat 90%\nis cow", "cat 60%\nis dog", *[""] * 23]
    np.testing.assert_array_equal(shown(figure.axes[0]), data.images[8])
    np.testing.assert_array_equal(shown(figure.axes[1]), data.images[4])
    assert figure.get_suptitle() == "2 of 30 wrong, the worst first"


def test_no_mistakes(path: Path, data: Dataset) -> None:
    figure = plots.mistakes(path, data, scores(data.labels))
    assert not any(axis.get_images() for axis in figure.axes)
    assert figure.get_suptitle() == "0 of 30 wrong, the worst first"


def test_long_labels_and_dollar_signs(path: Path, data: Dataset) -> None:
    names = ("$black$-footed_ferret", "dog", "cow")
    figure = plots.predictions(path, Dataset("named", data.images, data.labels, names), scores(data.labels))
    assert figure.axes[0].get_title() == r"\$black\$-footed_… 80%"
