"""Processes that meet on this machine train as one does: started, stopped, continued, set up wrongly."""

from __future__ import annotations

import csv
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgecnn.training import checkpoint
from edgecnn.training.train import CHECKPOINT

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Start

Pair = Callable[..., list["subprocess.Popen[str]"]]
Ended = tuple[list[int], list[str], list[str]]

ARGUMENTS = ("train", "baseline", "--recipe", "default", "--full", "--epochs", "3", "--batch-size", "10")


@pytest.fixture
def pair(start: Start) -> Pair:
    """Start two processes that meet, with arguments that both have and some of one alone."""

    def begin(*arguments: str | Path, own: tuple[tuple[str, ...], ...] = ((), ())) -> list[subprocess.Popen[str]]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        return [
            start(
                *arguments,
                *own[process],
                backend="jax",
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                more={
                    "KERAS_DISTRIBUTION_JOB_ADDRESSES": address,
                    "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
                    "KERAS_DISTRIBUTION_PROCESS_ID": str(process),
                },
            )
            for process in range(2)
        ]

    return begin


def ended(processes: list[subprocess.Popen[str]]) -> Ended:
    """Status, output and complaints of each."""
    said = [process.communicate(timeout=300) for process in processes]
    return [process.returncode for process in processes], [out for out, _ in said], [err for _, err in said]


def wait_for(saved: Path, process: subprocess.Popen[str]) -> None:
    """Return when the first epoch is saved."""
    limit = time.monotonic() + 240
    while not saved.exists():
        assert process.poll() is None and time.monotonic() < limit
        time.sleep(0.01)


def losses(folder: Path) -> list[float]:
    with (folder / "history.csv").open() as file:
        return [float(row["loss"]) for row in csv.DictReader(file)]


def test_two_processes_are_one(start: Start, pair: Pair, tmp_path: Path) -> None:
    """Either may be interrupted, both then stop at the same step, and go on from there."""
    processes = pair(*ARGUMENTS)
    together = tmp_path / "runs" / "baseline"
    wait_for(together / CHECKPOINT, processes[1])
    processes[1].send_signal(signal.SIGINT)
    statuses, outs, complaints = ended(processes)
    assert (statuses, complaints) == ([130, 130], ["error: interrupted\n"] * 2)
    device, _, *_, stopped = outs[0].splitlines()
    assert device.endswith("; 2 devices in 2 processes")
    assert stopped.endswith("edgecnn train baseline --out runs/baseline --resume")
    assert outs[1] == ""
    assert 1 <= checkpoint.peek(together / CHECKPOINT)[2].epoch < 3

    statuses, outs, complaints = ended(pair("train", "baseline", "--resume"))
    assert (statuses, complaints) == ([0, 0], ["", ""])
    assert outs[0].splitlines()[-1].startswith("saved runs/baseline/model.keras; ")
    assert outs[1] == ""
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["baseline"]

    alone = start(*ARGUMENTS, "--out", "alone", backend="jax")
    assert alone.wait(300) == 0
    assert losses(together) == pytest.approx(losses(tmp_path / "alone"), rel=1e-3)


def test_two_command_lines(pair: Pair, tmp_path: Path) -> None:
    statuses, _, complaints = ended(pair(*ARGUMENTS, own=(("--seed", "1"), ("--seed", "2"))))
    message = (
        "error: process 1 would not train the same as process 0: "
        "start each with the same command line, images and weights\n"
    )
    assert (statuses, complaints) == ([1, 1], [message, message])
    assert not list((tmp_path / "runs").iterdir())


@pytest.mark.full
def test_a_lost_process(pair: Pair, tmp_path: Path) -> None:
    """The other notices, at the latest after the 100 seconds that JAX waits for a sign of life."""
    processes = pair(*ARGUMENTS[:5], "--epochs", "1000")
    saved = tmp_path / "runs" / "baseline" / CHECKPOINT
    wait_for(saved, processes[1])
    processes[1].kill()
    (status, _), _, (complaint, _) = ended(processes)
    assert status in (1, -signal.SIGABRT)
    assert "has lost another one (" in complaint if status == 1 else "another task died" in complaint
    assert "Traceback" not in complaint
    assert checkpoint.peek(saved)[2].epoch >= 1


def test_nobody_comes() -> None:
    script = """
import os
os.environ |= {
    "KERAS_BACKEND": "jax",
    "KERAS_DISTRIBUTION_JOB_ADDRESSES": "127.0.0.1:9",
    "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    "KERAS_DISTRIBUTION_PROCESS_ID": "1",
}
from edgecnn.training import devices
devices.MEETING = 2
try:
    devices.asked(1).join("jax")
except devices.TrainingError as problem:
    print(problem, flush=True)
os._exit(0)
"""
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=True)
    assert told.stdout == (
        "process 1 has not met all 2 (in 2 seconds); "
        "start them all, with the address of process 0 in KERAS_DISTRIBUTION_JOB_ADDRESSES\n"
    )
