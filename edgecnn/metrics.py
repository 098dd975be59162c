"""How good a classifier is, in numpy alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecnn_export.intervals import wilson
from edgecnn_runtime.errors import ExportError


@dataclass(frozen=True)
class OfClass:
    """How good a classifier is at one class; a share, 0 to 1, is None where it is undefined."""

    label: str
    precision: float | None
    recall: float | None
    f1: float | None
    images: int


@dataclass(frozen=True, eq=False)
class Metrics:
    """A classifier's answers, counted.

    Attributes:
        confusion: how many images of each class (row) were given each label (column), shape (classes, classes).
    """

    confusion: npt.NDArray[np.int64]

    @property
    def support(self) -> npt.NDArray[np.int64]:
        """Images of each class, shape (classes,)."""
        return np.asarray(self.confusion.sum(1))

    @property
    def right(self) -> int:
        """Images whose label is right."""
        return int(self.confusion.trace())

    @property
    def accuracy(self) -> float:
        """Share of the images whose label is right, 0 to 1."""
        return self.right / int(self.confusion.sum())

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy, see :func:`edgecnn_export.intervals.wilson`."""
        return wilson(self.right, int(self.confusion.sum()))

    @property
    def precision(self) -> npt.NDArray[np.float64]:
        """Of the images given a label, the share that is right; NaN for a label that was never given."""
        return _ratio(self.confusion.diagonal(), self.confusion.sum(0))

    @property
    def recall(self) -> npt.NDArray[np.float64]:
        """Of the images of a class, the share that is right; NaN for a class without images."""
        return _ratio(self.confusion.diagonal(), self.support)

    @property
    def f1(self) -> npt.NDArray[np.float64]:
        """The harmonic mean of precision and recall; NaN for a class without images that was never given."""
        return _ratio(2 * self.confusion.diagonal(), self.confusion.sum(0) + self.support)

    @property
    def balanced_accuracy(self) -> float:
        """Mean recall of the classes that have images, each counting the same."""
        return float(np.nanmean(self.recall))

    def by_class(self, names: Sequence[str]) -> list[OfClass]:
        """The figures of each class that has images, by the names of all."""

        def known(shares: npt.NDArray[np.float64]) -> list[float | None]:
            return [None if math.isnan(each) else each for each in shares.tolist()]

        columns = known(self.precision), known(self.recall), known(self.f1), self.support.tolist()
        rows = [OfClass(*row) for row in zip(names, *columns, strict=True)]
        return [each for each in rows if each.images]


def measure(labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float32]) -> Metrics:
    """Count the most probable labels against the true ones.

    Args:
        labels: class indices, shape (N,), N at least 1.
        probabilities: shape (N, classes).
    """
    classes = probabilities.shape[1]
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (labels, probabilities.argmax(-1)), 1)
    return Metrics(confusion)


def require_numbers(probabilities: npt.NDArray[np.float32], whose: str) -> None:
    """Refuse to count answers in which a NaN would be taken for the highest probability.

    Raises:
        ExportError: one is not a number; the message begins with ``whose``.
    """
    if not np.isfinite(probabilities).all():
        raise ExportError(f"{whose} gives answers that are no numbers (NaN); export the model again")


def surest(labels: npt.NDArray[np.int64], probabilities: npt.NDArray[np.float32], right: bool) -> npt.NDArray[np.int64]:
    """The images whose label is right, or is wrong, those given it with the highest probability first.

    Args:
        labels: class indices, shape (N,).
        probabilities: shape (N, classes).
        right: which of them.
    """
    (found,) = np.nonzero((probabilities.argmax(-1) == labels) == right)
    return np.asarray(found[np.argsort(-probabilities[found].max(-1), kind="stable")])


def _ratio(part: npt.NDArray[np.int64], whole: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    return np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
