"""A training run, from top to bottom."""

from __future__ import annotations

import contextlib
import math
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn.training import checkpoint, plan, stage, teacher
from edgecnn.training.checkpoint import Progress
from edgecnn.training.devices import Devices
from edgecnn.training.learner import Learner
from edgecnn.training.progress import Reporter
from edgecnn.training.recipe import Recipe
from edgecnn.zoo.network import Network
from edgecnn_export.reference import predict
from edgecnn_runtime.errors import TrainingError

if TYPE_CHECKING:
    import keras

    from edgecnn_export.dataset import Dataset

CHECKPOINT = "checkpoint.npz"


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
    load_weights: Callable[[keras.Model], list[str]] | None = None,
    watch: Callable[[dict[str, float]], object] | None = None,
    devices: Devices | None = None,
) -> Trained:
    """Train ``network`` by ``recipe`` on ``data``, keeping a checkpoint in the folder ``out``.

    On the CPU the same seed gives the same weights to the last bit, interrupted and resumed or not. Several processes
    do the same beside each other, and the first alone writes.

    Args:
        network: what is trained.
        recipe: how.
        data: the images to learn from.
        validation: images to watch after every epoch.
        out: folder of the checkpoint.
        resume: go on from the checkpoint in ``out``.
        tensorboard: folder for TensorBoard logs.
        load_weights: called with the new model of a run that begins, to put pretrained weights into it; gives the names
            of the layers that it had none for.
        watch: called with the row of every epoch, instead of a printed line; what it raises ends the run.
        devices: what to train on, joined; otherwise the backend's first device.

    Raises:
        UsageError: a batch cannot be divided among the devices.
        TrainingError: there is nothing to resume in ``out``, or it learns from other images or by another teacher; the
            pretrained weights lack layers that the recipe needs; one of several processes does not go along; or the
            loss is no number any more, unless it is watched.
        ExportError: the teacher's file is missing or is not one of edgecnn's.
        KeyboardInterrupt: Ctrl-C, after the state was saved.
    """
    devices = devices or Devices()
    saved = out / CHECKPOINT
    progress = _resumed(saved, data, recipe) if resume else Progress()
    learner = Learner(network, recipe, data, devices)
    if load_weights and not resume:
        stage.check_new(recipe, load_weights(learner.model))
    devices.agree(
        (network.name, recipe.to_json(), data.fingerprint),
        [*learner.given, *([np.fromfile(saved, np.uint8)] if resume else [])],
    )
    learner.enter(progress.epoch)
    if resume:
        checkpoint.restore(saved, learner.variables)
    boards = _boards(tensorboard if devices.first else None)
    steps, batch = plan.steps_and_batch(recipe, len(data))

    def save() -> None:
        learner.synchronise()
        if devices.first:
            checkpoint.save(saved, network.name, recipe, data, progress, learner.variables, learner.taught)

    with (
        Reporter(recipe.epochs, steps, batch, watch is not None) as reporter,
        _interrupts(devices) as interrupted,
    ):
        while progress.epoch < recipe.epochs:
            epoch = plan.draw(recipe, len(data), progress.epoch)
            begun, sitting, stop = time.perf_counter(), progress.step, False
            while progress.step < steps and not stop:
                last = min(progress.step + learner.steps_per_call, steps)
                loss, correct = learner.run(epoch.steps(progress.step, last))
                new = last - progress.step
                progress.advance(last, loss, correct)
                mean_loss, accuracy = progress.loss_sum / last, progress.correct / (last * batch)
                reporter.step(progress.epoch, last, new, mean_loss, accuracy)
                stop = interrupted()
            progress.seconds += (seconds := time.perf_counter() - begun)
            if progress.step < steps:
                save()
                devices.leave()
                raise KeyboardInterrupt
            learner.synchronise()
            row = {
                "epoch": float(progress.epoch + 1),
                "loss": mean_loss,
                "accuracy": accuracy,
                "learning_rate": learner.learning_rate,
                "images_per_second": (steps - sitting) * batch / seconds,
            }
            if validation is not None:
                with learner.result():
                    row |= _evaluate(learner.model, validation)
            if watch is None:
                _require_number(row, devices)
            progress.finish_epoch(row)
            learner.enter(progress.epoch)
            save()
            (watch or reporter.epoch)(row)
            for board in boards:
                board(row)
            if interrupted():
                devices.leave()
                raise KeyboardInterrupt
        devices.leave()

    return Trained(learner.in_float32(), progress.history, progress.seconds)


def _resumed(saved: Path, data: Dataset, recipe: Recipe) -> Progress:
    checkpoint.check(saved, data, teacher.fingerprint(recipe))
    return checkpoint.peek(saved)[2]


def _require_number(row: dict[str, float], devices: Devices) -> None:
    """Stop a run that can come to nothing any more; its last good state stays."""
    if not all(math.isfinite(row.get(name, 0.0)) for name in ("loss", "validation_loss")):
        devices.leave()
        raise TrainingError(
            f"the training has diverged, its loss is no number in epoch {row['epoch']:.0f}; "
            "begin another run with a lower --lr"
        )


def _evaluate(model: keras.Model, data: Dataset) -> dict[str, float]:
    probabilities = predict(model, data.images)
    right = probabilities[np.arange(len(data)), data.labels]
    return {
        "validation_loss": float(-np.log(np.clip(right, 1e-7, 1)).mean()),
        "validation_accuracy": float((probabilities.argmax(-1) == data.labels).mean()),
    }


@contextlib.contextmanager
def _interrupts(devices: Devices) -> Iterator[Any]:
    """Turn Ctrl-C into a question asked between two calls, so that no state is ever half updated.

    The answer is every process's, whichever of them was interrupted.
    """
    asked = False

    def note(*_: object) -> None:
        nonlocal asked
        asked = True

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: Ctrl-C is somebody else's business
        yield lambda: devices.any(False)
        return
    try:
        yield lambda: devices.any(asked)
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
