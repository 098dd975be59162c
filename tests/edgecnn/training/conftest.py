"""The slow, plain way to a batch, and the command in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgecnn.training import checkpoint
from edgecnn.training.plan import Plan
from edgecnn_runtime.errors import TrainingError

Gather = Callable[[npt.NDArray[np.uint8], Plan, int], npt.NDArray[np.float32]]
Start = Callable[..., "subprocess.Popen[str]"]

RUN_SMALL = Path(__file__).with_name("run_small.py")
PATIENCE = 120
"""Seconds that a process may take before a test gives up."""


@pytest.fixture
def plain_batch() -> Gather:
    """One batch of a plan: pad with the mirrored border, cut out and mirror, one image after the other."""

    def gather(images: npt.NDArray[np.uint8], plan: Plan, step: int) -> npt.NDArray[np.float32]:
        height, width = images.shape[1:3]
        most = int(abs(plan.shift).max())
        made = []
        for index, flip, (down, right) in zip(plan.order[step], plan.flip[step], plan.shift[step], strict=True):
            padded = np.pad(images[index], ((most, most), (most, most), (0, 0)), mode="reflect")
            image = padded[most - down :, most - right :][:height, :width]
            made.append(image[:, ::-1] if flip else image)
        return np.stack(made).astype(np.float32)

    return gather


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start ``run_small.py arguments...``; whatever still runs when the test ends is killed."""
    processes = []

    def begin(*arguments: str | Path, backend: str = "tensorflow", **streams: Any) -> subprocess.Popen[str]:
        command = [sys.executable, RUN_SMALL, *map(str, arguments)]
        environment = os.environ | {"KERAS_BACKEND": backend, "TERM": "xterm", "COLUMNS": "100"}
        streams = {"stdout": subprocess.DEVNULL} | streams
        processes.append(subprocess.Popen(command, env=environment, cwd=tmp_path, text=True, **streams))
        return processes[-1]

    yield begin
    for process in processes:
        process.kill()
        process.communicate()


def wait_for_epoch(process: subprocess.Popen[str], saved: Path, epoch: int) -> None:
    """Return as soon as the checkpoint shows that so many epochs are done."""
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        try:
            if checkpoint.peek(saved)[2].epoch >= epoch:
                return
        except TrainingError:
            assert not saved.exists(), "a checkpoint is whole whenever one looks"
        assert process.poll() is None, "the run ended before it got there"
        time.sleep(0.005)
    pytest.fail(f"no epoch {epoch} after {PATIENCE} s")
