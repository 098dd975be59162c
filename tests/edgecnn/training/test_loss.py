from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn.training.loss import AUXILIARY, cross_entropy
from edgecnn.training.recipe import LESSON
from edgecnn.training.train import train
from edgecnn.zoo.lesson import BASELINE
from edgecnn_export.dataset import Dataset

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Folders


def test_the_mean_over_the_batch(keras: Any) -> None:
    target = np.eye(3, dtype=np.float32)[[0, 2]]
    scores = np.array([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]], np.float32)
    loss, main = cross_entropy(0.0)(target, scores)
    np.testing.assert_allclose(loss, -np.log([0.7, 0.5]).mean(), rtol=1e-5)
    assert main is scores
    smoothed, _ = cross_entropy(0.3)(target, scores)
    expected = -((0.7 * target + 0.1) * np.log(scores)).sum(1).mean()
    np.testing.assert_allclose(smoothed, expected, rtol=1e-5)


def test_auxiliary_classifiers_count_less(keras: Any) -> None:
    target = np.eye(2, dtype=np.float32)
    good, bad = np.full((2, 2), 0.5, np.float32), np.array([[0.1, 0.9], [0.9, 0.1]], np.float32)
    loss, main = cross_entropy(0.0)(target, [good, bad, bad])
    np.testing.assert_allclose(loss, np.log(2) + 2 * AUXILIARY * np.log(10), rtol=1e-5)
    assert main is good


def test_an_auxiliary_classifier_trains_what_it_hangs_on(keras: Any, small: Dataset, folder: Folders) -> None:
    """It teaches the layers below it, learns itself, and is not in the result."""
    made = []

    def auxiliary(model: Any, classes: int) -> list[Any]:
        made.append(keras.layers.Dense(classes, activation="softmax", name="auxiliary"))
        return [made[0](model.get_layer("flatten").output)]

    recipe = replace(LESSON, epochs=2)
    alone = train(BASELINE, recipe, small, None, folder("alone"))
    helped = train(replace(BASELINE, auxiliary=auxiliary), recipe, small, None, folder("helped"))
    assert helped.model.count_params() == BASELINE.parameters
    assert helped.history[-1]["loss"] > alone.history[-1]["loss"] + 0.2
    moved = np.abs(alone.model.get_layer("conv").kernel - helped.model.get_layer("conv").kernel)
    assert float(np.max(moved)) > 1e-3
    assert np.abs(np.asarray(made[0].bias)).max() > 1e-3
