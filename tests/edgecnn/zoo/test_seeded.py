"""Random weights that tell pictures apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.zoo.seeded import seeded
from edgecnn_export.dataset import Dataset


def answers(model: Any, images: Any) -> Any:
    return model.predict(images, verbose=0)


@pytest.mark.usefixtures("keras")
@pytest.mark.parametrize("name", ["lenet5", "resnet8", "mobilenet_v3_small"])
def test_each_class_is_the_answer_to_some_pictures_and_not_to_others(name: str, watched: Dataset) -> None:
    images = watched.images[:40]
    probabilities = answers(seeded(zoo.find(name), 10, images), images)
    logits = np.log(probabilities)
    assert len(set(probabilities.argmax(-1))) >= 5
    assert (probabilities.std(0) > 0.02).all()
    # Up to a constant a picture, which softmax takes away, they have mean 0 and deviation 2.
    np.testing.assert_allclose((logits - logits.mean(-1, keepdims=True)).mean(0), 0, atol=1e-3)


def test_fresh_weights_would_not_do(keras: Any, watched: Dataset) -> None:
    keras.utils.set_random_seed(0)
    probabilities = answers(zoo.find("resnet20").build(10), watched.images[:40])
    assert (probabilities.std(0) < 0.02).any()


@pytest.mark.usefixtures("keras")
def test_the_seed_is_all_the_chance_there_is(watched: Dataset) -> None:
    images = watched.images[:20]
    first, again, other = (answers(seeded(zoo.find("resnet8"), 10, images, seed), images) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.1


@pytest.mark.usefixtures("keras")
def test_normalisation_knows_the_pictures_and_goes_on_learning(watched: Dataset) -> None:
    model = seeded(zoo.find("resnet8"), 10, watched.images[:20])
    fresh = zoo.find("resnet8").build(10)
    for layer in model.layers:
        if hasattr(layer, "moving_variance"):
            assert np.abs(layer.moving_mean).max() > 0
            assert layer.momentum == fresh.get_layer(layer.name).momentum
