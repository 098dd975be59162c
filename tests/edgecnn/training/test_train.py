"""Training against a plain Keras loop, and what a run gives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn.training import plan
from edgecnn.training.recipe import DEFAULT, LESSON, Recipe
from edgecnn.training.train import train
from edgecnn.zoo import find
from edgecnn.zoo.network import Network
from edgecnn_export.dataset import Dataset
from edgecnn_export.reference import predict
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Gather

pytestmark = pytest.mark.usefixtures("keras")

BASELINE = find("baseline")


@pytest.fixture
def few(small: Dataset) -> Dataset:
    """100 images: three steps of 32 an epoch."""
    return small.subset("few", np.arange(0, 500, 5))


def learning_rate(recipe: Recipe, step: int, steps_per_epoch: int) -> float:
    """Linear rise, then half a cosine down to zero at the end of the last epoch."""
    if not recipe.cosine:
        return recipe.learning_rate
    rise, all_steps = recipe.warmup_epochs * steps_per_epoch, recipe.epochs * steps_per_epoch
    if step < rise:
        return recipe.learning_rate * step / rise
    return recipe.learning_rate * (1 + math.cos(math.pi * (step - rise) / (all_steps - rise))) / 2


def plain_steps(keras: Any, recipe: Recipe, data: Dataset, gather: Gather) -> Iterator[tuple[Any, float, float]]:
    """Keras's own training step on the same batches: the model, the loss and the accuracy after each."""
    keras.utils.set_random_seed(recipe.seed)
    model = BASELINE.build(10)
    optimizer = keras.optimizers.Adam(recipe.learning_rate, weight_decay=recipe.weight_decay or None)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    model.compile(optimizer, loss, metrics=["accuracy"])
    one_hot = np.eye(10, dtype=np.float32)
    done = 0
    for epoch in range(recipe.epochs):
        drawn = plan.draw(recipe, len(data), epoch)
        for step, order in enumerate(drawn.order):
            optimizer.learning_rate = learning_rate(recipe, done, len(drawn.order))
            model.reset_metrics()
            figures = model.train_on_batch(gather(data.images, drawn, step), one_hot[data.labels[order]])
            done += 1
            yield model, float(figures[0]), float(figures[1])


@pytest.mark.parametrize(
    "recipe",
    [
        replace(LESSON, epochs=2),
        replace(DEFAULT, epochs=3, batch_size=32, warmup_epochs=1.0),
        replace(DEFAULT, epochs=2, batch_size=32, warmup_epochs=0.0, weight_decay=0.1, seed=5),
    ],
    ids=["lesson", "default", "no warm-up"],
)
def test_the_same_as_a_plain_keras_loop(
    keras: Any, recipe: Recipe, few: Dataset, plain_batch: Gather, tmp_path: Path
) -> None:
    trained = train(BASELINE, recipe, few, None, tmp_path)
    plain = list(plain_steps(keras, recipe, few, plain_batch))
    losses, accuracies = np.array([each[1:] for each in plain]).reshape(recipe.epochs, 3, 2).mean(1).T
    np.testing.assert_allclose([row["loss"] for row in trained.history], losses, rtol=1e-4)
    np.testing.assert_allclose([row["accuracy"] for row in trained.history], accuracies, atol=1e-6)
    for ours, theirs in zip(trained.model.get_weights(), plain[-1][0].get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-4)
    np.testing.assert_allclose(
        [row["learning_rate"] for row in trained.history],
        [learning_rate(recipe, 3 * (epoch + 1), 3) for epoch in range(recipe.epochs)],
        atol=1e-8,
    )


def test_what_a_run_gives(few: Dataset, watched: Dataset, tmp_path: Path) -> None:
    trained = train(BASELINE, replace(LESSON, epochs=2), few, watched, tmp_path)
    assert [row["epoch"] for row in trained.history] == [1.0, 2.0]
    last = trained.history[-1]
    assert list(last) == [
        "epoch",
        "loss",
        "accuracy",
        "learning_rate",
        "images_per_second",
        "validation_loss",
        "validation_accuracy",
    ]
    probabilities = predict(trained.model, watched.images)
    assert probabilities.dtype == np.float32
    likelihood = probabilities[np.arange(1000), watched.labels]
    assert last["validation_loss"] == pytest.approx(-np.log(likelihood).mean(), rel=1e-5)
    assert last["validation_accuracy"] == pytest.approx((probabilities.argmax(1) == watched.labels).mean())
    assert trained.seconds == pytest.approx(sum(96 / row["images_per_second"] for row in trained.history))


def test_it_learns(small: Dataset, tmp_path: Path) -> None:
    history = train(BASELINE, replace(LESSON, epochs=8), small, None, tmp_path).history
    assert history[-1]["loss"] < 0.7 * history[0]["loss"]
    assert history[-1]["accuracy"] > history[0]["accuracy"] + 0.2


def test_the_seed_decides(few: Dataset, tmp_path: Path) -> None:
    def weights(seed: int) -> bytes:
        trained = train(BASELINE, replace(DEFAULT, epochs=1, seed=seed), few, None, tmp_path)
        return b"".join(weight.tobytes() for weight in trained.model.get_weights())

    assert weights(0) != weights(1)


def test_fewer_images_than_a_batch(small: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tiny = small.subset("tiny", np.arange(5))
    trained = train(BASELINE, replace(DEFAULT, epochs=2, batch_size=64), tiny, None, tmp_path)
    assert [row["learning_rate"] for row in trained.history] == pytest.approx([DEFAULT.learning_rate, 0])
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_mixed_precision_trains_and_gives_a_float32_model(keras: Any, small: Dataset, tmp_path: Path) -> None:
    policies = []

    def layers(pixels: Any, classes: int) -> Any:
        policies.append(keras.config.dtype_policy().name)
        return BASELINE.layers(pixels, classes)

    recipe = replace(LESSON, epochs=6, mixed_precision=True)
    trained = train(replace(BASELINE, layers=layers), recipe, small, None, tmp_path)
    assert policies == ["mixed_bfloat16", "float32"]
    assert keras.config.dtype_policy().name == "float32"
    assert {layer.compute_dtype for layer in trained.model.layers} == {"float32"}
    assert {str(weight.dtype) for weight in trained.model.weights} == {"float32"}
    assert trained.history[-1]["loss"] < 0.8 * trained.history[0]["loss"]
    guesses = predict(trained.model, small.images).argmax(1)
    assert (guesses == small.labels).mean() > 0.8 * trained.history[-1]["accuracy"]


def test_tensorboard_logs(few: Dataset, watched: Dataset, tmp_path: Path) -> None:
    import tensorflow as tf

    history = train(BASELINE, replace(LESSON, epochs=2), few, watched, tmp_path, tensorboard=tmp_path / "logs").history
    (file,) = (tmp_path / "logs").glob("events.out.tfevents.*")
    logged: dict[int, dict[str, float]] = {}
    for record in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
        event = tf.compat.v1.Event.FromString(record)
        for value in event.summary.value:
            logged.setdefault(event.step, {})[value.tag] = value.simple_value
    assert logged == {int(row["epoch"]): pytest.approx(row) for row in history}


def test_a_small_network_of_another_shape(keras: Any, tmp_path: Path) -> None:
    """Nothing in training knows CIFAR-10's sizes."""

    def layers(pixels: Any, classes: int) -> Any:
        return keras.layers.Dense(classes, "softmax")(keras.layers.Flatten()(pixels))

    images = np.random.default_rng(0).integers(0, 256, (24, 6, 9, 3), np.uint8)
    data = Dataset("noise", images, np.arange(24) % 3, ("a", "b", "c"))
    network = Network("flat", layers, 6, 9, classes=3, parameters=489, multiply_adds=486, source="none")
    trained = train(network, replace(DEFAULT, epochs=1, batch_size=8), data, data, tmp_path)
    assert predict(trained.model, images).shape == (24, 3)


@pytest.mark.parametrize("change", [{"shift": 32}, {"cutout": 32}])
def test_images_out_of_sight_are_refused(change: dict[str, Any], few: Dataset, tmp_path: Path) -> None:
    (name,) = change
    with pytest.raises(UsageError, match=rf"^{name} must be below the images' height and width, got 32"):
        train(BASELINE, replace(LESSON, **change), few, None, tmp_path)
