from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pytest

from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.memory import peak
from edgecnn_runtime.timing import latencies, noise

if TYPE_CHECKING:
    from edgecnn_runtime.signature import Signature
    from tests.runtime.conftest import Script


class Slow:
    """An interpreter of a known speed, whose first calls are slower; it knows which images it saw."""

    name = "slow 1"
    signature: Signature

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.seen: list[int] = []

    def scores(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        assert pixels.shape == (1, 2, 3, 3)
        self.seen.append(int(pixels[0, 0, 0, 0]))
        time.sleep(self.seconds if len(self.seen) > 3 else 10 * self.seconds)
        return np.zeros((1, 2), np.float32)


@pytest.fixture
def images() -> npt.NDArray[np.uint8]:
    return np.broadcast_to(np.arange(2, dtype=np.uint8)[:, None, None, None], (2, 2, 3, 3))


def test_latencies_are_of_single_images_after_a_warm_up(images: npt.NDArray[np.uint8]) -> None:
    slow = Slow(0.01)
    times = latencies(slow, images, seconds=0.1)
    assert 1 < len(times) <= 10
    assert 0.01 <= times.min() <= np.median(times) < 0.05
    assert slow.seen == [0, 1, 0] + [index % 2 for index in range(len(times))]


def test_how_many_calls(images: npt.NDArray[np.uint8]) -> None:
    assert len(latencies(Slow(0.001), images, seconds=60, most=4)) == 4
    assert len(latencies(Slow(0.01), images, seconds=0.001, least=3)) == 3
    assert len(latencies(Slow(0.01), images, seconds=0)) == 1


def test_noise_is_the_same_each_time() -> None:
    first = noise(InputSpec(5, 7), 3)
    assert first.shape == (3, 5, 7, 3)
    assert first.dtype == np.uint8
    assert (first == noise(InputSpec(5, 7), 3)).all()
    assert len(np.unique(first)) > 100


def test_the_peak_of_memory_is_that_of_the_program_alone(python: Script, tmp_path: Path) -> None:
    """A parent's memory is not counted, what was given back is."""
    child = tmp_path / "child.py"
    child.write_text(
        "import sys; from edgecnn_runtime.memory import peak\n"
        "before = peak(); block = bytearray(80_000_000); del block; print(before, peak())\n"
    )
    parent = (
        "import subprocess, sys; block = bytearray(300_000_000)\n"
        "sys.exit(subprocess.run([sys.executable, sys.argv[1]]).returncode)"
    )
    ended = python("-c", parent, child)
    assert ended.stderr == ""
    before, after = map(int, ended.stdout.split())
    assert before < 200_000_000
    assert 75_000_000 < after - before < 90_000_000
    assert peak() > 10_000_000
