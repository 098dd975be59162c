"""Transfer learning: the base is frozen, then everything learns, and a stop at any point loses nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn.training import stage
from edgecnn.training.recipe import DEFAULT, QAT
from edgecnn.training.stage import Stage
from edgecnn.training.train import train
from edgecnn.zoo.network import Network
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.errors import TrainingError

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Folders, InParts

RECIPE = replace(DEFAULT, epochs=4, batch_size=50, pretrained=True, frozen_epochs=2)


def _with_averages(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = layers.Rescaling(1 / 255)(pixels)
    x = layers.Conv2D(4, 3, strides=4, name="base")(x)
    x = layers.BatchNormalization(name="averages", momentum=0.5)(x)
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(x))
    return layers.Dense(classes, activation="softmax", name="classifier")(x)


NETWORK = Network("two-stages", _with_averages, 32, 32, classes=10, parameters=178, multiply_adds=6952, source="none")


def test_which_epochs_are_frozen() -> None:
    assert [stage.at(RECIPE, epoch).frozen for epoch in range(5)] == [True, True, False, False, False]
    assert stage.at(RECIPE, 1) == Stage(0, 2, True, DEFAULT.learning_rate)
    assert stage.at(RECIPE, 3) == Stage(2, 4, False, 0.1 * DEFAULT.learning_rate)
    assert stage.at(replace(RECIPE, frozen_epochs=0), 3) == Stage(0, 4, False, DEFAULT.learning_rate)
    for frozen_epochs in (4, 9):
        always = replace(RECIPE, frozen_epochs=frozen_epochs)
        assert stage.at(always, 0) == stage.at(always, 4) == Stage(0, 4, True, DEFAULT.learning_rate)


def test_weights_that_lack_more_than_the_classifier_are_not_frozen() -> None:
    stage.check_new(RECIPE, ["classifier"])
    stage.check_new(replace(RECIPE, frozen_epochs=0), ["hidden", "classifier"])
    with pytest.raises(TrainingError, match="lack hidden, which would stay random while classifier learns alone"):
        stage.check_new(RECIPE, ["hidden", "classifier"])
    stage.check_new(QAT, [])
    with pytest.raises(TrainingError, match="lack classifier for these classes: --qat fine-tunes what is trained"):
        stage.check_new(QAT, ["classifier"])


def test_a_run_of_one_step_learns(keras: Any, small: Dataset, folder: Folders) -> None:
    few = small.subset("few", np.arange(50))
    recipe = replace(DEFAULT, epochs=1, batch_size=50)
    trained = train(NETWORK, recipe, few, None, folder("one"))
    keras.utils.set_random_seed(recipe.seed)
    begun = NETWORK.build(10).get_layer("base").get_weights()[0]
    assert np.abs(trained.model.get_layer("base").get_weights()[0] - begun).max() > 1e-4


def test_a_frozen_base_stays_and_the_classifier_learns(keras: Any, small: Dataset, folder: Folders) -> None:
    before: dict[str, Any] = {}

    def note(model: Any) -> list[str]:
        before.update({weight.path: np.array(weight) for weight in model.weights})
        return ["classifier"]

    frozen = train(NETWORK, replace(RECIPE, frozen_epochs=4), small, None, folder("a"), load_weights=note)
    after = {weight.path: np.array(weight) for weight in frozen.model.weights}
    changed = {path.split("/")[0] for path in before if not np.array_equal(before[path], after[path])}
    assert changed == {"classifier"}
    thawed = train(NETWORK, RECIPE, small, None, folder("b"))
    after = {weight.path: np.array(weight) for weight in thawed.model.weights}
    changed = {path.split("/")[0] for path in before if not np.array_equal(before[path], after[path])}
    assert changed == {"base", "averages", "classifier"}
    assert all(layer.trainable for layer in thawed.model.layers)


def test_a_stop_at_the_change_of_stage_loses_nothing(
    keras: Any, small: Dataset, folder: Folders, in_parts: InParts
) -> None:
    resumed = in_parts(NETWORK, RECIPE, small, {(1, 10): (2, 0), (2, 3): (2, 3)})
    whole = train(NETWORK, RECIPE, small, None, folder("whole"))
    for weight, expected in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
