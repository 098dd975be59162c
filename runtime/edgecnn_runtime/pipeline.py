"""Many pictures through one model: classified one after another or side by side, answered in the order they came in."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.image import Picture, decoded, fitted

if TYPE_CHECKING:
    import numpy.typing as npt

_ALONE = 0.1
"""Seconds of work before others are asked to help: their start takes a third of that."""

_CHUNK = 0.02
"""Seconds of work that are handed out together, when pictures take less: handing over takes about 0.1 ms."""


class Item(NamedTuple):
    """A picture on its way.

    Attributes:
        name: as the user knows it: a path, an address, a frame's number.
        picture: what :mod:`edgecnn_runtime.image` takes; or why there is none, where the source could not get it.
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


def answers(classifier: Classifier, items: Iterable[Item], workers: int = 1) -> Generator[Answer, None, None]:
    """Classify pictures, in the order in which they come.

    One worker gives each answer before it asks for the next picture, as a camera wants it. Several are processes
    (:mod:`edgecnn_runtime.workers`), which start when there is work for more than a moment; then pictures are taken
    ahead, and must be such that pickle takes them: paths, bytes in memory, pixels, but not open files. Memory does not
    grow with the number of pictures, and leaving the loop early ends the workers.

    Args:
        classifier: opened with ``threads=1`` if there are several workers, for threads do not survive a fork.
        items: the pictures; what they raise ends the loop.
        workers: how many work side by side, at least 1.

    Raises:
        BackendError: the interpreter gives up.
    """
    items, work = iter(items), partial(_answer, classifier)
    alone, done = 0.0, 0
    for item in items:
        begun = perf_counter()
        answer = Answer(item, *work(item))
        alone += perf_counter() - begun
        done += 1
        yield answer
        if workers > 1 and alone > _ALONE:
            break
    else:
        return
    # Imported here: one picture needs no other processes, and what they need takes long to import.
    from edgecnn_runtime.workers import in_order

    for item, result in in_order(work, items, workers, 1 + int(_CHUNK * done / alone)):
        yield Answer(item, *result)


def _answer(
    classifier: Classifier, item: Item
) -> tuple[npt.NDArray[np.float32] | None, ImageError | None, Timing | None]:
    """What an :class:`Answer` has beside its item."""
    if isinstance(item.picture, ImageError):
        return None, item.picture, None
    spec = classifier.contract.input
    begun = perf_counter()
    try:
        picture = decoded(item.picture, spec)
    except ImageError as problem:
        return None, problem, None
    opened = perf_counter()
    pixels = fitted(picture, spec)
    resized = perf_counter()
    scores = classifier.backend.scores(pixels[np.newaxis])[0]
    return scores, None, Timing(opened - begun, resized - opened, perf_counter() - resized)
