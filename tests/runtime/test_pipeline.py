"""Many pictures through one model: order, errors, memory and an early end."""

from __future__ import annotations

import gc
import io
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from edgecnn_runtime import pipeline
from edgecnn_runtime.backends import installed
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.errors import BackendError, ImageError
from edgecnn_runtime.image import Picture
from edgecnn_runtime.pipeline import Answer, Item, answers

RGB = ((250, 100, 10), (10, 250, 100), (100, 10, 250))
PICTURES = [np.full((4, 4, 3), colour, np.uint8) for colour in RGB]

workers = pytest.mark.parametrize("workers", [1, 2, 5])


@pytest.fixture
def classifier(int8: Path) -> Classifier:
    return Classifier.open(int8, threads=1)


@pytest.fixture(autouse=True)
def _others_help_at_once_and_do_not_stay(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pipeline, "_ALONE", 0)
    yield
    assert not multiprocessing.active_children()


def items(count: int) -> Iterator[Item]:
    return (Item(str(number), PICTURES[number % 3]) for number in range(count))


@workers
def test_answers_come_in_order(classifier: Classifier, workers: int) -> None:
    expected = classifier.scores(PICTURES)
    found = list(answers(classifier, items(300), workers))
    assert [each.item.name for each in found] == [str(number) for number in range(300)]
    for number, each in enumerate(found):
        assert each.scores is not None
        assert np.array_equal(each.scores, expected[number % 3])


@pytest.mark.parametrize("backend", [*installed("tflite"), *installed("onnx")])
def test_every_interpreter_can_be_forked(backend: str, int8: Path) -> None:
    """In a process of its own: one TFLite library a process."""
    model = int8.with_name("tiny-fp32.onnx") if backend == "onnxruntime" else int8
    script = f"""
import numpy as np
from edgecnn_runtime import pipeline
from edgecnn_runtime.backends import installed
from edgecnn_runtime.classifier import Classifier
pipeline._ALONE = 0
classifier = Classifier.open({str(model)!r}, {backend!r}, threads=1)
images = np.random.default_rng(3).integers(0, 256, (200, 4, 4, 3), dtype=np.uint8)
found = pipeline.answers(classifier, (pipeline.Item("", image) for image in images), 2)
assert np.array_equal([each.scores for each in found], [classifier.scores([image])[0] for image in images])
"""
    subprocess.run([sys.executable, "-c", script], timeout=60, check=True)


def test_a_slow_picture_holds_its_place(classifier: Classifier) -> None:
    slow = np.zeros((3000, 3000, 3), np.uint8)
    mixed = [Item("slow", slow), *items(5), Item("slow", slow), *items(50)]
    assert [each.item.name for each in answers(classifier, mixed, 2)] == [each.name for each in mixed]


@workers
def test_a_bad_picture_does_not_stop_the_others(classifier: Classifier, workers: int, tmp_path: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG")
    never = ImageError("a.jpg: no answer from the server; try again")
    pictures: list[Picture | ImageError] = [bad, "none.png", never, io.BytesIO(b"rubbish")]
    mixed = [*items(2), *(Item(str(each), each) for each in pictures), *items(2)]
    found = list(answers(classifier, mixed, workers))
    assert [each.item.name for each in found] == [each.name for each in mixed]
    assert [each.error is None for each in found] == [True] * 2 + [False] * 4 + [True] * 2
    assert all((each.error is None) == (each.scores is not None) == (each.timing is not None) for each in found)
    assert [str(each.error).partition(": ")[0] for each in found[2:6]] == [str(bad), "none.png", "a.jpg", "the picture"]


def test_timing_is_what_the_clock_says(classifier: Classifier) -> None:
    begun = time.perf_counter()
    (answer,) = answers(classifier, [Item("big", np.zeros((2000, 2000, 3), np.uint8))])
    passed = time.perf_counter() - begun
    assert answer.timing is not None
    assert min(answer.timing) > 0
    assert sum(answer.timing) < passed


@workers
def test_nothing(classifier: Classifier, workers: int) -> None:
    assert not list(answers(classifier, [], workers))


def test_a_few_pictures_start_no_process(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("forked"))
    assert len(list(answers(classifier, items(20), 2))) == 20


def test_one_worker_takes_nothing_ahead(classifier: Classifier) -> None:
    taken = items(9)
    with closing(answers(classifier, taken)) as loop:
        next(loop)
        assert next(taken).name == "1"


def test_only_a_few_are_taken_ahead(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "_CHUNK", 0)
    taken: list[Item] = []
    source = (taken.append(each) or each for each in items(1000))  # type: ignore[func-returns-value]
    with closing(answers(classifier, source, 2)) as loop:
        for number, _ in enumerate(loop):
            assert len(taken) <= number + 10
    assert len(taken) == 1000


@workers
def test_leaving_early(classifier: Classifier, workers: int) -> None:
    with closing(answers(classifier, items(10**9), workers)) as loop:
        assert [each.item.name for each in islice(loop, 3)] == ["0", "1", "2"]


@workers
@pytest.mark.parametrize("end", [ValueError, KeyboardInterrupt])
def test_a_source_that_fails(classifier: Classifier, workers: int, end: type[BaseException]) -> None:
    def failing() -> Iterator[Item]:
        yield from items(50)
        raise end

    found: list[Answer] = []
    with pytest.raises(end):
        found.extend(answers(classifier, failing(), workers))
    if end is ValueError:
        assert len(found) == 50


class Failing:
    """An interpreter that gives up at a white picture, each time in its own manner."""

    def __init__(self, classifier: Classifier, manner: Callable[[], None]) -> None:
        self.contract, self.backend = classifier.contract, self
        self._real, self._manner = classifier.backend, manner

    def scores(self, pixels: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        if pixels.min() == 255:
            self._manner()
        return self._real.scores(pixels)


def give_up() -> None:
    raise BackendError("it gave up")


@workers
def test_an_interpreter_that_gives_up(classifier: Classifier, workers: int) -> None:
    white = Item("white", np.full((4, 4, 3), 255, np.uint8))
    with pytest.raises(BackendError, match="it gave up"):
        list(answers(Failing(classifier, give_up), [*items(20), white], workers))  # type: ignore[arg-type]


def test_a_worker_that_is_killed(classifier: Classifier) -> None:
    white = Item("white", np.full((4, 4, 3), 255, np.uint8))
    killed = Failing(classifier, lambda: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(BackendError, match=r"died \(Killed\)"):
        list(answers(killed, [*items(20), white, *items(20)], 2))  # type: ignore[arg-type]


def test_a_worker_that_is_killed_while_it_waits(classifier: Classifier) -> None:
    def slowly() -> Iterator[Item]:
        for number, item in enumerate(items(200)):
            if number == 100:
                idle = multiprocessing.active_children()
                assert len(idle) == 2
                os.kill(idle[0].pid or 0, signal.SIGKILL)
            time.sleep(0.01)  # so that each is sent alone
            yield item

    with pytest.raises(BackendError, match=r"died \(Killed\)"):
        list(answers(classifier, slowly(), 2))


def test_workers_that_cannot_be_started(classifier: Classifier) -> None:
    list(answers(classifier, items(20), 2))  # what is to be imported is there
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = sum(1 for _ in Path("/proc/self/fd").iterdir())
    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 20, before[1]))
    try:
        with pytest.raises(BackendError, match=r"cannot be started \(Too many open files\); ask for fewer threads"):
            list(answers(classifier, items(20), 40))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_no_worker_outlives_its_parent(int8: Path, end: signal.Signals) -> None:
    script = f"""
import multiprocessing, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has those in the background ignore it
import numpy as np
from edgecnn_runtime import pipeline
from edgecnn_runtime.backends import installed
from edgecnn_runtime.classifier import Classifier
pipeline._ALONE = 0
one = pipeline.Item("", np.zeros((4, 4, 3), np.uint8))
for number, _ in enumerate(pipeline.answers(Classifier.open({str(int8)!r}, threads=1), iter(lambda: one, None), 2)):
    if number == 1000:
        print(*(each.pid for each in multiprocessing.active_children()), flush=True)
"""
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True) as parent:
        try:
            assert parent.stdout is not None
            children = [int(each) for each in parent.stdout.readline().split()]
            assert len(children) == 2
            parent.send_signal(end)
            parent.wait(timeout=10)
            deadline = time.monotonic() + 10
            while any(Path(f"/proc/{child}").exists() for child in children):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(parent.pid, signal.SIGKILL)


@pytest.mark.parametrize("workers", [1, 2])
def test_memory_does_not_grow(classifier: Classifier, workers: int) -> None:
    sizes = []
    with closing(answers(classifier, items(10**9), workers)) as loop:
        for _ in range(4):
            for _ in islice(loop, 2000):
                pass
            gc.collect()
            sizes.append(resident() + sum(resident(each.pid) for each in multiprocessing.active_children()))
    assert sizes[-1] - sizes[1] < 2_000_000


def resident(process: int | str | None = "self") -> int:
    """What a process holds in memory, in bytes."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
