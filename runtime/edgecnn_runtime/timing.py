"""How long an interpreter takes for an image."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgecnn_runtime.contract import InputSpec

if TYPE_CHECKING:
    from edgecnn_runtime.backends import Backend

_WARM_UP = 3


def noise(spec: InputSpec, count: int) -> npt.NDArray[np.uint8]:
    """Images to measure with, the same each time, shape (count, height, width, 3). What they show does not matter."""
    # Not numpy.random, which would be a part of the memory that is measured.
    values = random.Random(0).randbytes(count * spec.height * spec.width * 3)
    return np.frombuffer(values, np.uint8).reshape(count, spec.height, spec.width, 3)


def latencies(
    backend: Backend, images: npt.NDArray[np.uint8], seconds: float, least: int = 1, most: int = 10_000
) -> npt.NDArray[np.float64]:
    """Seconds of each of many calls with one image, after some that are not counted.

    Args:
        backend: the model in an interpreter.
        images: taken in turn, shape (N, height, width, 3).
        seconds: when to stop, by the clock.
        least: how many calls there are however long they take.
        most: how many at most.
    """

    def call(index: int) -> None:
        backend.scores(images[index % len(images)][np.newaxis])

    for index in range(_WARM_UP):
        call(index)
    return durations(call, seconds, least, most)


def durations(
    call: Callable[[int], object], seconds: float, least: int = 1, most: int = 10_000
) -> npt.NDArray[np.float64]:
    """Seconds of many calls, shape (calls,), as :func:`latencies`; each is told how many were before it."""
    times: list[float] = []
    begun = now = time.perf_counter()
    while len(times) < least or (len(times) < most and now - begun < seconds):
        before = time.perf_counter()
        call(len(times))
        now = time.perf_counter()
        times.append(now - before)
    return np.array(times)
