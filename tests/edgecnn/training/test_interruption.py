"""A run that is killed or interrupted and goes on ends bit for bit where one that never stopped does."""

from __future__ import annotations

import itertools
import os
import random
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn.training import checkpoint, learner
from edgecnn.training.recipe import DEFAULT, Recipe
from edgecnn.training.train import CHECKPOINT, Trained, train
from edgecnn.zoo import find
from edgecnn.zoo.network import Network
from edgecnn_export.dataset import Dataset

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Start, StopAt

pytestmark = pytest.mark.usefixtures("keras")

BASELINE = find("baseline")
EPOCHS = 6
ARGUMENTS = ("train", "baseline", "--full", "--epochs", str(EPOCHS), "--batch-size", "4", "--out")
RECIPE = replace(DEFAULT, epochs=EPOCHS, batch_size=4, validation="none")
"""What the arguments say: 125 steps an epoch, augmented, on a cosine schedule."""


@pytest.fixture(scope="module", autouse=True)
def _ready_to_be_interrupted() -> Iterator[None]:
    """After every step, as in ``run_small.py``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learner, "_IMAGES_PER_CALL", 4)
        yield


def same(one: Trained, other: Trained) -> bool:
    """Weights and history, to the last bit, but for the speed."""
    histories = [[row | {"images_per_second": 0.0} for row in trained.history] for trained in (one, other)]
    weights = [[weight.tobytes() for weight in trained.model.get_weights()] for trained in (one, other)]
    return histories[0] == histories[1] and weights[0] == weights[1]


@pytest.fixture(scope="module")
def uninterrupted(keras: Any, small: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    return train(BASELINE, RECIPE, small, None, tmp_path_factory.mktemp("uninterrupted"))


def resume(out: Path, data: Dataset, network: Network = BASELINE, recipe: Recipe = RECIPE) -> Trained:
    assert checkpoint.peek(out / CHECKPOINT)[:2] == (network.name, recipe)
    return train(network, recipe, data, None, out, resume=True)


def test_killed(start: Start, uninterrupted: Trained, small: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments: tuple[str | Path, ...] = (*ARGUMENTS, out)
    for epoch in (1, 3):
        process = start(*arguments)
        wait_for_epoch(process, out / CHECKPOINT, epoch)
        time.sleep(random.uniform(0, 0.1))
        process.kill()
        assert process.wait() == -signal.SIGKILL
        assert checkpoint.peek(out / CHECKPOINT)[2].epoch < EPOCHS
        arguments = ("train", "baseline", "--out", out, "--resume")
    assert same(resume(out, small), uninterrupted)


class Terminal:
    """A terminal of its own for a process; ``text`` is what it shows."""

    def __init__(self) -> None:
        self._end, self.stream = os.openpty()
        self._read = bytearray()
        threading.Thread(target=self._collect, daemon=True).start()

    def _collect(self) -> None:
        try:
            while data := os.read(self._end, 4096):
                self._read += data
        except OSError:  # Linux's way to say that the other end is closed
            pass

    @property
    def text(self) -> str:
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", self._read.decode(errors="replace"))


def test_ctrl_c_in_the_middle_of_an_epoch(start: Start, uninterrupted: Trained, small: Dataset, tmp_path: Path) -> None:
    out, terminal = tmp_path / "run", Terminal()
    process = start(*ARGUMENTS, out, stdout=terminal.stream, stderr=subprocess.PIPE)
    os.close(terminal.stream)
    wait_for_epoch(process, out / CHECKPOINT, 2)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, complaint = process.communicate(timeout=60)

    assert process.returncode == 130
    assert "Traceback" not in complaint
    stopped = checkpoint.peek(out / CHECKPOINT)[2]
    assert 2 <= stopped.epoch < EPOCHS
    assert stopped.step > 0, "the state is that of the step, not of the epoch"
    assert f"Continue with: edgecnn train baseline --out {out} --resume" in "".join(terminal.text.split("\r\n"))
    # The bar: epoch, step, loss, accuracy, speed and time left, with lines of finished epochs above it.
    assert re.search(
        r"epoch 2/6 step +\d+ \S+ loss \d\.\d{3}  accuracy +\d+\.\d\d%  [\d,]+ images/s left \d:\d\d:\d\d",
        terminal.text,
    )
    assert re.search(r"epoch 1/6  loss \d\.\d{4}  accuracy \d+\.\d\d%  [\d,]+ images/s\s", terminal.text)

    resumed = resume(out, small)
    assert same(resumed, uninterrupted)
    assert resumed.seconds > stopped.seconds


def with_memory(pixels: Any, classes: int) -> Any:
    """A network with state besides its weights: a dropout's seed, and moving averages."""
    from keras import layers

    x = layers.Rescaling(1 / 255)(pixels)
    x = layers.AveragePooling2D(4)(x)
    x = layers.BatchNormalization()(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    return layers.Dense(classes, activation="softmax")(x)


def test_nothing_is_forgotten(small: Dataset, tmp_path: Path, stop_at: StopAt) -> None:
    """Interrupted at one step and another, a network with a memory goes on as if nothing had been."""
    network = Network("memory", with_memory, 32, 32, classes=10, parameters=1966, multiply_adds=1920, source="none")
    recipe = replace(DEFAULT, epochs=3, batch_size=8)
    interrupted, whole = tmp_path / "interrupted", tmp_path / "whole"
    for folder in (interrupted, whole):
        folder.mkdir()
    for stop, stopped in (((0, 17), (0, 17)), ((1, 62), (2, 0)), ((2, 61), (2, 61))):
        stop_at(*stop)
        with pytest.raises(KeyboardInterrupt):
            train(network, recipe, small, small, interrupted, resume=stop[0] > 0)
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        progress = checkpoint.peek(interrupted / CHECKPOINT)[2]
        assert (progress.epoch, progress.step) == stopped
        assert len(progress.history) == progress.epoch

    stop_at()
    resumed = train(network, recipe, small, small, interrupted, resume=True)
    assert same(resumed, train(network, recipe, small, small, whole))
    averages, steps = np.asarray(resumed.model.layers[3].moving_mean), 3 * 62
    np.testing.assert_allclose(averages, (1 - 0.99**steps) * small.images.mean((0, 1, 2)) / 255, atol=0.02)


def test_the_speed_is_that_of_the_last_sitting(
    small: Dataset, tmp_path: Path, stop_at: StopAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(step=10)
    monkeypatch.setattr("edgecnn.training.train.time", SimpleNamespace(perf_counter=lambda: next(clock)))
    few, recipe = small.subset("few", np.arange(64)), replace(DEFAULT, epochs=3, batch_size=4)
    stop_at(1, 5)
    with pytest.raises(KeyboardInterrupt):
        train(BASELINE, recipe, few, None, tmp_path)
    stop_at()
    resumed = resume(tmp_path, few, recipe=recipe)
    assert [row["images_per_second"] for row in resumed.history] == [6.4, 4.4, 6.4]  # 16 steps, 11 and 16, of 4 images
    assert resumed.seconds == 40


def test_a_finished_run_gives_the_same_again(small: Dataset, tmp_path: Path) -> None:
    few = small.subset("few", np.arange(64))
    recipe = replace(DEFAULT, epochs=2, batch_size=32)
    finished = train(BASELINE, recipe, few, None, tmp_path)
    again = resume(tmp_path, few, recipe=recipe)
    assert same(again, finished)
    assert again.seconds == finished.seconds


def test_a_thread_other_than_the_first_can_train(small: Dataset, tmp_path: Path) -> None:
    few = small.subset("few", np.arange(64))
    trained = []
    thread = threading.Thread(target=lambda: trained.append(train(BASELINE, RECIPE, few, None, tmp_path)))
    thread.start()
    thread.join()
    assert len(trained[0].history) == EPOCHS


def wait_for_epoch(process: subprocess.Popen[str], saved: Path, epoch: int) -> None:
    """Return as soon as the checkpoint shows that so many epochs are done."""
    limit = time.monotonic() + 120
    while time.monotonic() < limit:
        if saved.exists() and checkpoint.peek(saved)[2].epoch >= epoch:  # whole whenever one looks
            return
        assert process.poll() is None, "the run ended before it got there"
        time.sleep(0.005)
    pytest.fail(f"epoch {epoch} is not done after two minutes")
