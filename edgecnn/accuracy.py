"""The accuracy of exported files on this machine, each in an interpreter in a process of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from edgecnn import metrics
from edgecnn.data import source
from edgecnn.data.photos_cache import Progress, Say
from edgecnn_export.dataset import Dataset
from edgecnn_export.parity import passing_over
from edgecnn_export.scoring import score
from edgecnn_runtime.benchmark import Case
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import ExportError


class Judge:
    """Labelled images, and how many of them each file gets right in each interpreter.

    The number of threads makes no difference (docs/verify.md), so it is measured once for all.
    """

    def __init__(self, data: Path, say: Say, progress: Progress) -> None:
        """The images are loaded when a file is to be judged, as it takes them.

        Args:
            data: as of :func:`edgecnn.data.source.find`.
            say: told of each damaged photograph.
            progress: told how far the decoding of photographs is.
        """
        self._data, self._say, self._progress = data, say, progress
        self._images: dict[tuple[InputSpec, tuple[str, ...]], Dataset] = {}
        self._accuracies: dict[tuple[Path, str], tuple[float, tuple[float, float]]] = {}

    def judged(self, cases: Sequence[Case], failed: Callable[[ExportError], None]) -> list[Case]:
        """Judge a file in each interpreter of its cases, and give the cases that could be.

        Args:
            cases: of one file.
            failed: told of an interpreter that refused the file, or crashed.

        Raises:
            DataError: there are no such images, or they have other labels than the file.
        """
        images = self._of(cases[0])
        for file, interpreter in dict.fromkeys((each.file, each.interpreter) for each in cases):
            with passing_over(failed):
                answers = score(file, images.images, interpreter).probabilities
                metrics.require_numbers(answers, f"{file.name} in {interpreter}")
                measured = metrics.measure(images.labels, answers)
                self._accuracies[file, interpreter] = measured.accuracy, measured.interval
        return [each for each in cases if (each.file, each.interpreter) in self._accuracies]

    def accuracy(self, case: Case) -> tuple[float, tuple[float, float]]:
        """Share of the images that the file gets right there, 0 to 1, and its 95 % interval."""
        return self._accuracies[case.file, case.interpreter]

    def _of(self, case: Case) -> Dataset:
        key = case.contract.input, case.contract.labels
        if key not in self._images:
            found = source.find(self._data, *key, self._say, self._progress)
            self._images[key] = images = source.part_of(found, "test")
            self._say(f"accuracy: {len(images):,} images of {images.name}")
        return self._images[key]
