"""The moving average of the weights, against one made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecnn.training import plan
from edgecnn.training.devices import Devices
from edgecnn.training.learner import Learner
from edgecnn.training.recipe import LESSON
from edgecnn.training.train import train
from edgecnn.zoo import find
from edgecnn_export.dataset import Dataset
from edgecnn_export.reference import predict

pytestmark = pytest.mark.usefixtures("keras")

RECIPE = replace(LESSON, epochs=2, averaging=0.8)


@pytest.fixture
def few(small: Dataset) -> Dataset:
    """100 images: three steps of 32 an epoch."""
    return small.subset("few", np.arange(0, 500, 5))


def by_hand(data: Dataset) -> Any:
    """The last weights, and their average over all steps."""
    learner = Learner(find("baseline"), replace(RECIPE, averaging=0.0), data, Devices())
    learner.enter(0)
    average = None
    for epoch in range(RECIPE.epochs):
        drawn = plan.draw(RECIPE, len(data), epoch)
        for step in range(len(drawn.order)):
            learner.run(drawn.steps(step, step + 1))
            learner.synchronise()
            last = learner.model.get_weights()
            average = last if average is None else [0.8 * a + 0.2 * w for a, w in zip(average, last, strict=True)]
    return last, average


def test_the_average_is_watched_and_kept(few: Dataset, watched: Dataset, tmp_path: Path) -> None:
    trained = train(find("baseline"), RECIPE, few, watched, tmp_path)
    last, average = by_hand(few)
    for ours, theirs, other in zip(trained.model.get_weights(), average, last, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)
        assert not np.allclose(ours, other, atol=1e-5)
    right = (predict(trained.model, watched.images).argmax(1) == watched.labels).mean()
    assert trained.history[-1]["validation_accuracy"] == pytest.approx(right)


def test_watching_does_not_disturb(few: Dataset, watched: Dataset, tmp_path: Path) -> None:
    one, other = (train(find("baseline"), RECIPE, few, who, tmp_path) for who in (watched, None))
    for ours, theirs in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
