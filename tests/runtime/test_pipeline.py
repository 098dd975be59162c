"""Many pictures through one model: order, errors, memory and an early end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.errors import BackendError
from edgecnn_runtime.pipeline import Answer, Item, answers

RGB = ((250, 100, 10), (10, 250, 100), (100, 10, 250))
PICTURES = [np.full((4, 4, 3), colour, np.uint8) for colour in RGB]

threads = pytest.mark.parametrize("threads", [1, 2, 5])


@pytest.fixture
def opener(int8: Path) -> Callable[[], Classifier]:
    return partial(Classifier.open, int8, threads=1)


@pytest.fixture(autouse=True)
def _no_thread_stays() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def items(count: int) -> Iterator[Item]:
    return (Item(str(number), PICTURES[number % 3]) for number in range(count))


@threads
def test_answers_come_in_order(opener: Callable[[], Classifier], threads: int) -> None:
    expected = opener().scores(PICTURES)
    found = list(answers(opener, items(100), threads))
    assert [each.item.name for each in found] == [str(number) for number in range(100)]
    for number, each in enumerate(found):
        assert each.scores is not None
        assert np.array_equal(each.scores, expected[number % 3])


def test_a_slow_picture_holds_its_place(opener: Callable[[], Classifier], tmp_path: Path) -> None:
    slow = np.zeros((3000, 3000, 3), np.uint8)
    mixed = [Item("slow", slow), *items(5), Item("slow", slow), *items(5)]
    assert [each.item for each in answers(opener, mixed, 2)] == mixed


@threads
def test_a_bad_picture_does_not_stop_the_others(opener: Callable[[], Classifier], threads: int, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG")
    found = list(answers(opener, [*items(2), Item("bad", bad), Item("none", "none.png"), *items(2)], threads))
    assert [each.error is None for each in found] == [each.scores is not None for each in found]
    assert [each.timing is not None for each in found] == [True, True, False, False, True, True]
    assert str(found[2].error).startswith(f"{bad}: ")


def test_timing_is_what_the_clock_says(opener: Callable[[], Classifier]) -> None:
    begun = time.perf_counter()
    (answer,) = answers(opener, [Item("big", np.zeros((2000, 2000, 3), np.uint8))])
    passed = time.perf_counter() - begun
    assert answer.timing is not None
    parts = (answer.timing.decode, answer.timing.resize, answer.timing.inference)
    assert min(parts) > 0
    assert sum(parts) < passed


@threads
def test_nothing(opener: Callable[[], Classifier], threads: int) -> None:
    assert not list(answers(opener, [], threads))


def test_one_thread_starts_none(opener: Callable[[], Classifier], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threading.Thread, "start", lambda _: pytest.fail("started"))
    assert len(list(answers(opener, items(3), 1))) == 3


def test_one_thread_takes_nothing_ahead(opener: Callable[[], Classifier]) -> None:
    taken = items(9)
    next(answers(opener, taken, 1))
    assert next(taken).name == "1"


def test_only_a_few_are_taken_ahead(opener: Callable[[], Classifier]) -> None:
    taken = items(1000)
    loop = answers(opener, taken, 2)
    next(loop)
    assert int(next(taken).name) <= 8
    loop.close()


def test_no_more_interpreters_than_pictures(opener: Callable[[], Classifier]) -> None:
    opened = []

    def counted() -> Classifier:
        opened.append(opener())
        return opened[-1]

    assert len(list(answers(counted, items(2), 8))) == 2
    assert len(opened) == 2


@threads
def test_leaving_early(opener: Callable[[], Classifier], threads: int) -> None:
    loop = answers(opener, items(10**9), threads)
    assert [each.item.name for each in islice(loop, 3)] == ["0", "1", "2"]
    loop.close()


@threads
@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt])
def test_a_source_that_fails(opener: Callable[[], Classifier], threads: int, end: type[BaseException]) -> None:
    def failing() -> Iterator[Item]:
        yield from items(20)
        raise end

    found: list[Answer] = []
    with pytest.raises(end):
        found.extend(answers(opener, failing(), threads))


@threads
def test_an_interpreter_that_fails(opener: Callable[[], Classifier], threads: int) -> None:
    def failing() -> Classifier:
        raise BackendError("no memory")

    with pytest.raises(BackendError, match="no memory"):
        list(answers(failing, items(20), threads))


@threads
def test_memory_does_not_grow(opener: Callable[[], Classifier], threads: int) -> None:
    loop = answers(opener, items(10**9), threads)
    sizes = []
    for _ in range(4):
        for _ in islice(loop, 2500):
            pass
        sizes.append(resident())
    loop.close()
    assert sizes[-1] - sizes[0] < 1_000_000


def resident() -> int:
    """What the process holds in memory, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
