"""Means over the last frames of a film, and how threads are divided."""

from __future__ import annotations

import os

import numpy as np
import pytest

from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.pipeline import Answer, Item
from edgecnn_runtime.smoothing import smoothed
from edgecnn_runtime.sources import Source
from edgecnn_runtime.threads import cores, divided


def answer(*scores: float) -> Answer:
    return Answer(Item("frame", "frame"), np.array(scores, np.float32))


def test_the_mean_of_the_last_frames() -> None:
    bad = Answer(Item("bad", "bad"), error=ImageError("bad: is damaged"))
    frames = [answer(1, 0), answer(0, 1), bad, answer(0, 1), answer(1, 0)]
    result = list(smoothed(frames, 2))
    assert result[2] is bad
    means = [each.scores.tolist() for each in result if each.scores is not None]
    assert means == [[1, 0], [0.5, 0.5], [0, 1], [0.5, 0.5]]
    assert [each.item for each in result] == [each.item for each in frames]
    assert frames[1].scores is not None
    assert frames[1].scores.tolist() == [0, 1]


def test_frames_come_one_by_one() -> None:
    frames = iter([answer(1, 0), answer(0, 1)])
    next(smoothed(frames, 5))
    assert len(list(frames)) == 1


@pytest.mark.parametrize(
    ("threads", "source", "expected"),
    [
        (None, Source([], total=1), (1, 1)),
        (None, Source([], live=True), (1, 1)),
        (None, Source([], total=2), (cores(), 1)),
        (None, Source([]), (cores(), 1)),
        (3, Source([], total=1), (1, 3)),
        (3, Source([], live=True), (1, 3)),
        (3, Source([], total=9), (3, 1)),
    ],
)
def test_threads(threads: int | None, source: Source, expected: tuple[int, int]) -> None:
    assert divided(threads, source) == expected


def test_the_cores_that_one_may_use() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, before)
