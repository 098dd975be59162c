"""A training run, from top to bottom."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn.training import backend, checkpoint, plan
from edgecnn.training.checkpoint import Progress
from edgecnn.training.progress import Reporter
from edgecnn.training.recipe import Recipe
from edgecnn.zoo.network import Network
from edgecnn_runtime.errors import TrainingError

if TYPE_CHECKING:
    import keras

    from edgecnn_export.dataset import Dataset

CHECKPOINT = "checkpoint.npz"

# A call of the compiled steps on a CPU should take about a second or less, so that the bar moves and Ctrl-C is
# answered; a GPU takes a whole epoch at once.
_IMAGES_PER_CALL = 3200


@dataclass(frozen=True)
class Trained:
    """What a run gives.

    Attributes:
        model: the trained model, float32 throughout.
        history: one row an epoch: epoch, loss, accuracy, learning_rate, images_per_second, and with validation
            images validation_loss and validation_accuracy.
        seconds: time spent in training steps.
    """

    model: keras.Model
    history: list[dict[str, float]]
    seconds: float


def train(
    network: Network,
    recipe: Recipe,
    data: Dataset,
    validation: Dataset | None,
    out: Path,
    resume: bool = False,
    tensorboard: Path | None = None,
) -> Trained:
    """Train ``network`` by ``recipe`` on ``data``, keeping a checkpoint in the folder ``out``.

    On the CPU the same seed gives the same weights to the last bit, interrupted and resumed or not.

    Raises:
        TrainingError: there is nothing to resume in ``out``.
        KeyboardInterrupt: Ctrl-C, after the state was saved.
    """
    framework = backend.choose()
    import keras

    keras.utils.set_random_seed(recipe.seed)
    with _precision(recipe):
        model = _build(network, data)
    steps_per_epoch = max(1, len(data) // recipe.batch_size)
    optimizer = _optimizer(recipe, steps_per_epoch, model)
    variables = model.variables + optimizer.variables

    saved, progress = out / CHECKPOINT, Progress()
    if resume:
        _, _, progress = checkpoint.peek(saved)
        checkpoint.restore(saved, variables)

    augment = recipe.flip or recipe.shift > 0
    compiled = backend.compiled_steps(framework)(model, optimizer, data, recipe.label_smoothing, augment)
    images_per_call = len(data) if backend.on_gpu(framework) else _IMAGES_PER_CALL
    steps_per_call = max(1, images_per_call // recipe.batch_size)
    boards = _boards(tensorboard)

    def save() -> None:
        compiled.synchronise()
        checkpoint.save(saved, network.name, recipe, progress, variables)

    with (
        Reporter(recipe.epochs, steps_per_epoch, min(recipe.batch_size, len(data))) as reporter,
        _interrupts() as interrupted,
    ):
        while progress.epoch < recipe.epochs:
            epoch = plan.draw(recipe, len(data), progress.epoch)
            steps, batch = epoch.order.shape
            begun = time.perf_counter()
            sitting = progress.step
            while progress.step < steps:
                last = min(progress.step + steps_per_call, steps)
                loss, correct = compiled.run(epoch.steps(progress.step, last))
                new = last - progress.step
                progress.advance(last, loss, correct)
                mean_loss, accuracy = progress.loss_sum / last, progress.correct / (last * batch)
                reporter.step(progress.epoch, last, new, mean_loss, accuracy)
                if interrupted() and progress.step < steps:
                    progress.seconds += time.perf_counter() - begun
                    save()
                    raise KeyboardInterrupt
            seconds = time.perf_counter() - begun
            progress.seconds += seconds
            compiled.synchronise()
            row = {
                "epoch": float(progress.epoch + 1),
                "loss": mean_loss,
                "accuracy": accuracy,
                "learning_rate": float(optimizer.learning_rate),
                "images_per_second": (steps - sitting) * batch / seconds,
            }
            if validation is not None:
                row |= _evaluate(model, validation)
            progress.finish_epoch(row)
            save()
            reporter.epoch(row)
            for board in boards:
                board(row)
            if interrupted():
                raise KeyboardInterrupt

    return Trained(_in_float32(network, model, data), progress.history, progress.seconds)


def predict(model: keras.Model, images: Any) -> Any:
    """Class probabilities, float32, shape (N, classes), for uint8 images, shape (N, height, width, 3)."""
    return np.asarray(model.predict(images, batch_size=500, verbose=0), np.float32)


def _evaluate(model: keras.Model, data: Dataset) -> dict[str, float]:
    probabilities = predict(model, data.images)
    right = probabilities[np.arange(len(data)), data.labels]
    return {
        "validation_loss": float(-np.log(np.clip(right, 1e-7, 1)).mean()),
        "validation_accuracy": float((probabilities.argmax(-1) == data.labels).mean()),
    }


def _optimizer(recipe: Recipe, steps_per_epoch: int, model: keras.Model) -> Any:
    import keras

    rate: Any = recipe.learning_rate
    if recipe.cosine:
        warmup = round(recipe.warmup_epochs * steps_per_epoch)
        falling = max(1, recipe.epochs * steps_per_epoch - warmup)
        rate = keras.optimizers.schedules.CosineDecay(0.0, falling, warmup_target=rate, warmup_steps=warmup)
    optimizer = keras.optimizers.Adam(rate, weight_decay=recipe.weight_decay or None)
    optimizer.build(model.trainable_variables)
    return optimizer


def _build(network: Network, data: Dataset) -> keras.Model:
    _, height, width, _ = data.images.shape
    return network.build(len(data.label_names), height, width)


@contextlib.contextmanager
def _precision(recipe: Recipe) -> Iterator[None]:
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16" if recipe.mixed_precision else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def _in_float32(network: Network, model: keras.Model, data: Dataset) -> keras.Model:
    """The same weights in a model that computes in float32 whatever trained it: what is saved and exported."""
    plain = _build(network, data)
    plain.set_weights(model.get_weights())
    return plain


@contextlib.contextmanager
def _interrupts() -> Iterator[Any]:
    """Turn Ctrl-C into a question asked between two calls, so that no state is ever half updated."""
    asked = False

    def note(*_: object) -> None:
        nonlocal asked
        asked = True

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: Ctrl-C is somebody else's business
        yield lambda: False
        return
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)


def _boards(folder: Path | None) -> list[Any]:
    """Writers of TensorBoard logs: one for ``folder``, none without."""
    if folder is None:
        return []
    if not find_spec("tensorflow"):
        raise TrainingError('TensorBoard logs need TensorFlow; install it with: pip install "edgecnn[train]"')
    import tensorflow as tf

    writer = tf.summary.create_file_writer(str(folder))
    summary = tf.compat.v1.Summary  # tf.summary.scalar needs the tensorboard package; only a reader should

    def write(row: dict[str, float]) -> None:
        values = [summary.Value(tag=name, simple_value=value) for name, value in row.items()]
        with writer.as_default(step=int(row["epoch"])):
            tf.summary.experimental.write_raw_pb(summary(value=values).SerializeToString())
        writer.flush()

    return [write]
