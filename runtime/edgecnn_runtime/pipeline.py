"""Many pictures through one model: decoded and classified side by side, answered in the order they came in.

Pillow decodes and the interpreters compute outside Python's lock, so threads keep every core busy. Each has an
interpreter of its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.image import Picture, decoded, fitted

if TYPE_CHECKING:
    import numpy.typing as npt

_AHEAD = 4
"""Pictures taken ahead for each thread: enough that none waits, few enough for pictures that are held in memory."""


class Item(NamedTuple):
    """A picture on its way.

    Attributes:
        name: as the user knows it: a path, an address, a frame's number.
        picture: what :mod:`edgecnn_runtime.image` takes, or why there is none.
    """

    name: str
    picture: Picture | ImageError


class Timing(NamedTuple):
    """What one picture took, in seconds of the clock."""

    decode: float
    resize: float
    inference: float


class Answer(NamedTuple):
    """What came of a picture.

    Attributes:
        item: the picture.
        scores: probability of each class; None if the picture is not usable.
        error: why it is not; None if it is.
        timing: what it took; None if it is not usable.
    """

    item: Item
    scores: npt.NDArray[np.float32] | None = None
    error: ImageError | None = None
    timing: Timing | None = None


def answers(opener: Callable[[], Classifier], items: Iterable[Item], threads: int = 1) -> Generator[Answer, None, None]:
    """Classify pictures, in the order in which they come.

    With one thread, every answer is given before the next picture is asked for, as a camera wants it. With several,
    a few pictures are taken ahead; no more interpreters are opened than there are pictures. Memory does not grow with
    the number of pictures. Leaving the loop early waits for what is being computed, and for nothing else.

    Args:
        opener: opens a classifier for a thread; called in the caller's thread.
        items: the pictures; asked for one after another, in the caller's thread.
        threads: how many work at once, at least 1.

    Raises:
        BackendError: the interpreter gives up. What ``opener`` and ``items`` raise ends the loop likewise.
    """
    items = iter(items)
    if threads == 1:
        classifier = opener()
        for item in items:
            yield _answer(classifier, item)
    else:
        yield from _side_by_side(opener, items, threads)


def _side_by_side(
    opener: Callable[[], Classifier], items: Iterator[Item], threads: int
) -> Generator[Answer, None, None]:
    # Imported here: one picture needs no threads, and what they need takes long to import.
    from concurrent.futures import Future, ThreadPoolExecutor
    from queue import SimpleQueue

    idle: SimpleQueue[Classifier] = SimpleQueue()
    waiting: deque[Future[Answer]] = deque()

    def answer(item: Item) -> Answer:
        classifier = idle.get()
        try:
            return _answer(classifier, item)
        finally:
            idle.put(classifier)

    workers = ThreadPoolExecutor(threads, "classify")
    try:
        for number, item in enumerate(items):
            if number < threads:
                idle.put(opener())
            waiting.append(workers.submit(answer, item))
            if len(waiting) == _AHEAD * threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        workers.shutdown(cancel_futures=True)


def _answer(classifier: Classifier, item: Item) -> Answer:
    if isinstance(item.picture, ImageError):
        return Answer(item, error=item.picture)
    spec = classifier.contract.input
    begun = perf_counter()
    try:
        picture = decoded(item.picture, spec)
    except ImageError as problem:
        return Answer(item, error=problem)
    opened = perf_counter()
    pixels = fitted(picture, spec)
    resized = perf_counter()
    scores = classifier.backend.scores(pixels[np.newaxis])[0]
    timing = Timing(opened - begun, resized - opened, perf_counter() - resized)
    return Answer(item, scores, timing=timing)
