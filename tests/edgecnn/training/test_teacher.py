"""Learning from a teacher, against Keras's own step on the same targets."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn.training import plan, teacher
from edgecnn.training.recipe import DEFAULT, LESSON
from edgecnn.training.train import CHECKPOINT, train
from edgecnn.zoo import find
from edgecnn_export import keras_file
from edgecnn_export.dataset import Dataset
from edgecnn_export.keras_file import About
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import ExportError, TrainingError, UsageError

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Gather

BASELINE, RESNET = find("baseline"), find("resnet8")


@pytest.fixture(scope="module")
def wise(keras: Any, small: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run folder with a residual network in it, and the network."""
    keras.utils.set_random_seed(1)
    folder, model = tmp_path_factory.mktemp("teacher"), RESNET.build(10)
    for norm in (layer for layer in model.layers if hasattr(layer, "moving_variance")):
        norm.moving_mean.assign(norm.moving_mean + 0.1)
        norm.gamma.assign(norm.gamma * 1.5)
    keras_file.save(folder / "model.keras", model, About("resnet8", small.label_names, InputSpec(32, 32)))
    return folder, model


def test_the_targets_are_labels_and_answers(
    keras: Any, wise: Any, small: Dataset, plain_batch: Gather, tmp_path: Path
) -> None:
    folder, model = wise
    few = small.subset("few", np.arange(0, 500, 5))
    recipe = replace(LESSON, epochs=2, flip=True, shift=2, teacher=str(folder), distillation=0.7)
    trained = train(BASELINE, recipe, few, None, tmp_path)
    keras.utils.set_random_seed(recipe.seed)
    plain, one_hot, losses = BASELINE.build(10), np.eye(10, dtype=np.float32), []
    plain.compile(keras.optimizers.Adam(recipe.learning_rate), "categorical_crossentropy")
    for epoch in range(2):
        drawn = plan.draw(recipe, len(few), epoch)
        for step, order in enumerate(drawn.order):
            pixels = plain_batch(few.images, drawn, step)
            target = 0.3 * one_hot[few.labels[order]] + 0.7 * model.predict(pixels, verbose=0)
            losses.append(float(plain.train_on_batch(pixels, target)))
            plain.reset_metrics()
    np.testing.assert_allclose([row["loss"] for row in trained.history], np.reshape(losses, (2, 3)).mean(1), rtol=1e-4)
    for ours, theirs in zip(trained.model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_a_teacher_answers_as_it_does_when_it_no_longer_learns(keras: Any, small: Dataset, tmp_path: Path) -> None:
    layers, few = keras.layers, small.subset("few", np.arange(100))
    pixels = keras.Input((32, 32, 3))
    seen = layers.Dropout(0.5)(layers.Flatten()(layers.Rescaling(1 / 255)(pixels)))
    model = keras.Model(pixels, layers.Dense(10, activation="softmax")(seen))
    keras_file.save(tmp_path / "model.keras", model, About("forgetful", small.label_names, InputSpec(32, 32)))
    recipe = replace(LESSON, epochs=1, batch_size=100, teacher=str(tmp_path), distillation=1.0)
    trained = train(BASELINE, recipe, few, None, tmp_path)
    keras.utils.set_random_seed(recipe.seed)
    plain, images = BASELINE.build(10), few.images.astype(np.float32)
    plain.compile(keras.optimizers.Adam(recipe.learning_rate), "categorical_crossentropy")
    loss = float(plain.train_on_batch(images, model.predict(images, verbose=0)))
    assert trained.history[0]["loss"] == pytest.approx(loss, rel=1e-4)
    for ours, theirs in zip(trained.model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


@pytest.mark.usefixtures("keras")
def test_a_teacher_in_bfloat16_says_nearly_the_same(wise: Any, small: Dataset) -> None:
    folder, model = wise
    quick = teacher.load(replace(DEFAULT, teacher=str(folder), distillation=0.5, mixed_precision=True), small)
    assert {layer.compute_dtype for layer in quick.layers} == {"bfloat16", "float32"}
    assert not any(hasattr(layer, "moving_variance") for layer in quick.layers)
    pixels = small.images[:50].astype(np.float32)
    answers = quick.predict(pixels, verbose=0)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers, model.predict(pixels, verbose=0), atol=0.03)


@pytest.mark.usefixtures("keras")
@pytest.mark.parametrize("name", ["lenet5", "resnet20"])
def test_operations_that_are_no_layers_need_no_bfloat16(name: str, small: Dataset, tmp_path: Path) -> None:
    model = find(name).build(10)
    keras_file.save(tmp_path / "model.keras", model, About(name, small.label_names, InputSpec(32, 32)))
    recipe = replace(DEFAULT, teacher=str(tmp_path), distillation=0.5, mixed_precision=True)
    pixels = small.images[:20].astype(np.float32)
    answers = teacher.load(recipe, small).predict(pixels, verbose=0)
    np.testing.assert_allclose(answers, model.predict(pixels, verbose=0), atol=0.05)


@pytest.mark.usefixtures("keras")
def test_a_teacher_of_something_else_is_refused(wise: Any, small: Dataset, tmp_path: Path) -> None:
    folder, _ = wise
    recipe = replace(DEFAULT, teacher=str(folder), distillation=0.5)
    with pytest.raises(TrainingError, match=r"the teacher .*model.keras knows other classes than the images have"):
        teacher.load(recipe, replace(small, label_names=("cat", "dog")))
    with pytest.raises(TrainingError, match=r"the teacher .* takes images of 32x32 pixels; these have 16x24"):
        teacher.load(recipe, replace(small, images=small.images[:, :16, :24]))
    with pytest.raises(ExportError, match="does not exist"):
        teacher.load(replace(recipe, teacher=str(tmp_path / "none")), small)


@pytest.mark.usefixtures("keras")
def test_another_teacher_in_its_place_does_not_continue_a_run(wise: Any, small: Dataset, tmp_path: Path) -> None:
    folder, model = wise
    file, out = tmp_path / "wise.keras", tmp_path / "run"
    shutil.copy(folder / "model.keras", file)
    recipe = replace(LESSON, epochs=1, teacher=str(file), distillation=0.5)
    few = small.subset("few", np.arange(64))
    out.mkdir()
    train(BASELINE, recipe, few, None, out)
    before = (out / CHECKPOINT).read_bytes()
    keras_file.save(file, model, About("resnet8", small.label_names, InputSpec(32, 32), {"epochs": 9}))
    with pytest.raises(TrainingError, match=r"the teacher .*wise.keras is another file than .*run began with"):
        train(BASELINE, recipe, few, None, out, resume=True)
    file.unlink()
    with pytest.raises(ExportError, match=r"wise.keras does not exist"):
        train(BASELINE, recipe, few, None, out, resume=True)
    assert (out / CHECKPOINT).read_bytes() == before
    shutil.copy(folder / "model.keras", file)
    train(BASELINE, recipe, few, None, out, resume=True)


@pytest.mark.parametrize("change", [{"teacher": "runs/wise"}, {"distillation": 0.5}])
def test_a_teacher_and_its_share_go_together(change: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="go together"):
        replace(DEFAULT, **change)
