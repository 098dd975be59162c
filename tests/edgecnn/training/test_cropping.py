"""The first epochs on windows of the images, the last on whole ones."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn.training import plan
from edgecnn.training.cropping import taking, window
from edgecnn.training.recipe import DEFAULT, LESSON
from edgecnn.training.train import train
from edgecnn.zoo import find
from edgecnn.zoo.network import Network
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.errors import UsageError
from tests.pages import ROOT

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Folders, Gather, InParts, Start

WEIGHTS = ROOT / "models" / "resnet8.keras"
RECIPE = replace(LESSON, epochs=3, batch_size=50, cropped=0.67, crop=0.5)


def _averaging(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = layers.Conv2D(8, 3, strides=2, use_bias=False, name="base")(layers.Rescaling(1 / 255)(pixels))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.BatchNormalization(momentum=0.5)(x)))
    return layers.Dense(classes, activation="softmax")(x)


NETWORK = Network("averaging", _averaging, 32, 32, classes=10, parameters=338, multiply_adds=48680, source="none")


def test_which_epochs_see_how_much() -> None:
    seen = [window(replace(RECIPE, crop=0.75), epoch, (500, 32, 48, 3)) for epoch in range(4)]
    assert seen == [(24, 36), (24, 36), (32, 48), (32, 48)]
    assert window(LESSON, 0, (500, 32, 48, 3)) == (32, 48)
    assert window(replace(RECIPE, crop=0.01), 0, (500, 32, 48, 3)) == (4, 4)
    # The multiples of four that are nearest to 19.2 and 28.8, and to 22.4 and 33.6.
    assert window(replace(RECIPE, crop=0.6), 0, (500, 32, 48, 3)) == (20, 28)
    assert window(replace(RECIPE, crop=0.7), 0, (500, 32, 48, 3)) == (24, 32)


def test_a_model_for_windows_has_the_same_weights(keras: Any) -> None:
    model = find("edge-xs").build(10)
    other = taking(model, (24, 20), "edge-xs")
    assert other.input_shape == (None, 24, 20, 3)
    assert model.input_shape == (None, 32, 32, 3)
    for name in ("trainable_variables", "non_trainable_variables"):
        pairs = zip(getattr(model, name), getattr(other, name), strict=True)
        assert all(one is same for one, same in pairs)
    assert taking(model, (32, 32), "edge-xs") is model


@pytest.mark.parametrize("crop", [0.1, 0.3, 0.6, 0.8, 0.9, 0.99])
@pytest.mark.parametrize("name", ["edge-xs", "resnet8"])
def test_networks_that_halve_their_images_take_any_share(keras: Any, name: str, crop: float) -> None:
    size = window(replace(RECIPE, crop=crop), 0, (500, 32, 32, 3))
    assert 4 <= size[0] <= 32
    assert taking(find(name).build(10), size, name).input_shape[1:3] == size


def test_the_same_as_a_plain_keras_loop(keras: Any, small: Dataset, plain_batch: Gather, tmp_path: Path) -> None:
    keras.utils.set_random_seed(RECIPE.seed)
    pixels = keras.Input((None, None, 3))
    model = keras.Model(pixels, _averaging(pixels, 10))
    model.compile(keras.optimizers.Adam(RECIPE.learning_rate), "categorical_crossentropy")
    losses = []
    for epoch, size in enumerate((16, 16, 32)):
        drawn = plan.draw(RECIPE, len(small), epoch)
        for step, order in enumerate(drawn.order):
            whole = plain_batch(small.images, drawn, step)
            starts = (drawn.corner[step] * (33 - size)).astype(int)
            parts = [image[y : y + size, x : x + size] for image, (y, x) in zip(whole, starts, strict=True)]
            losses.append(float(model.train_on_batch(np.stack(parts), np.eye(10)[small.labels[order]])))
    trained = train(NETWORK, RECIPE, small, None, tmp_path)
    expected = np.reshape(losses, (3, 10)).mean(1)
    np.testing.assert_allclose([row["loss"] for row in trained.history], expected, rtol=1e-4)
    for ours, theirs in zip(trained.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert trained.model.input_shape == (None, 32, 32, 3)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"averaging": 0.9},
        {"pretrained": True, "frozen_epochs": 1},
        {"pretrained": True, "frozen_epochs": 2},
        {"pretrained": True, "quantized": True},
        {"teacher": str(WEIGHTS), "distillation": 0.5},
    ],
    ids=lambda change: " ".join(change) or "plain",
)
def test_a_stop_where_whole_images_begin_loses_nothing(
    keras: Any, small: Dataset, folder: Folders, in_parts: InParts, change: dict[str, Any]
) -> None:
    recipe = replace(RECIPE, **change)
    resumed = in_parts(NETWORK, recipe, small, {(0, 4): (0, 4), (1, 10): (2, 0), (2, 3): (2, 3)})
    whole = train(NETWORK, recipe, small, None, folder("whole"))
    for weight, expected in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_a_network_with_a_weight_for_each_place_is_refused(keras: Any, small: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^baseline cannot learn from windows of 16 x 16 pixels; take another"):
        train(find("baseline"), RECIPE, small, None, tmp_path)
    taught = replace(RECIPE, teacher=str(WEIGHTS.with_name("baseline.keras")), distillation=0.5)
    with pytest.raises(UsageError, match=r"^the teacher .*baseline\.keras cannot learn from windows of 16 x 16 pixels"):
        train(NETWORK, taught, small, None, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_both_backends_see_the_same_windows(start: Start, tmp_path: Path) -> None:
    recipe = replace(DEFAULT, epochs=2, batch_size=50, cropped=0.5, crop=0.5, validation="test", optimizer="muon")
    (tmp_path / "recipe.json").write_text(recipe.to_json())
    processes = {
        backend: start(
            *("train", "resnet8", "--recipe", "recipe.json", "--weights", WEIGHTS, "--out", backend),
            backend=backend,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for backend in ("tensorflow", "jax")
    }
    for process in processes.values():
        _, complaint = process.communicate(timeout=300)
        assert (process.returncode, complaint) == (0, "")
    one, other = (
        np.genfromtxt(tmp_path / backend / "history.csv", delimiter=",", names=True)["loss"] for backend in processes
    )
    np.testing.assert_allclose(one, other, rtol=2e-3)
