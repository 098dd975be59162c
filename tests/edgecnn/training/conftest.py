"""The slow, plain way to a batch, and the command in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgecnn.training import checkpoint, learner
from edgecnn.training.plan import Plan
from edgecnn.training.progress import Reporter
from edgecnn.training.recipe import Recipe
from edgecnn.training.train import CHECKPOINT, Trained, train
from edgecnn.zoo.network import Network
from edgecnn_export.dataset import Dataset

Gather = Callable[[npt.NDArray[np.uint8], Plan, int], npt.NDArray[np.float32]]
Folders = Callable[[str], Path]
StopAt = Callable[..., None]
Place = tuple[int, int]
InParts = Callable[[Network, Recipe, Dataset, dict[Place, Place]], Trained]
Start = Callable[..., "subprocess.Popen[str]"]

RUN_SMALL = Path(__file__).with_name("run_small.py")


@pytest.fixture
def plain_batch() -> Gather:
    """One batch of a plan: pad with the mirrored border, cut out and mirror, one image after the other."""

    def gather(images: npt.NDArray[np.uint8], plan: Plan, step: int) -> npt.NDArray[np.float32]:
        height, width = images.shape[1:3]
        most = int(abs(plan.shift).max())
        made: list[npt.NDArray[np.uint8]] = []
        for index, flip, (down, right) in zip(plan.order[step], plan.flip[step], plan.shift[step], strict=True):
            padded = np.pad(images[index], ((most, most), (most, most), (0, 0)), mode="reflect")
            image = padded[most - down :, most - right :][:height, :width]
            made.append(image[:, ::-1] if flip else image)
        batch: npt.NDArray[np.float32] = np.stack(made).astype(np.float32)
        return batch

    return gather


@pytest.fixture
def folder(tmp_path: Path) -> Folders:
    """Make a folder of that name for a run."""

    def make(name: str) -> Path:
        (tmp_path / name).mkdir()
        return tmp_path / name

    return make


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> StopAt:
    """Press Ctrl-C when the bar shows that step of that epoch; without one, never again."""
    show = Reporter.step

    def set_stop(epoch: int | None = None, step: int | None = None) -> None:
        def interrupt(self: Reporter, *state: Any) -> None:
            show(self, *state)
            if state[:2] == (epoch, step):
                signal.raise_signal(signal.SIGINT)

        monkeypatch.setattr(Reporter, "step", interrupt)

    return set_stop


@pytest.fixture
def in_parts(folder: Folders, stop_at: StopAt, monkeypatch: pytest.MonkeyPatch) -> InParts:
    """Train with Ctrl-C at some steps, each with the place where the state is then, and go on after it."""

    def run(network: Network, recipe: Recipe, data: Dataset, stops: dict[Place, Place]) -> Trained:
        monkeypatch.setattr(learner, "_IMAGES_PER_CALL", recipe.batch_size)
        out = folder("in-parts")
        for number, (stop, found) in enumerate(stops.items()):
            stop_at(*stop)
            with pytest.raises(KeyboardInterrupt):
                train(network, recipe, data, None, out, resume=number > 0)
            progress = checkpoint.peek(out / CHECKPOINT)[2]
            assert (progress.epoch, progress.step) == found
        stop_at()
        return train(network, recipe, data, None, out, resume=True)

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start ``run_small.py arguments...``; whatever still runs when the test ends is killed."""
    processes = []

    def begin(
        *arguments: str | Path, backend: str = "tensorflow", more: dict[str, str] | None = None, **streams: Any
    ) -> subprocess.Popen[str]:
        command = [sys.executable, str(RUN_SMALL), *map(str, arguments)]
        environment = os.environ | {"KERAS_BACKEND": backend, "TERM": "xterm", "COLUMNS": "100"} | (more or {})
        streams = {"stdout": subprocess.DEVNULL} | streams
        processes.append(subprocess.Popen(command, env=environment, cwd=tmp_path, text=True, **streams))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()
