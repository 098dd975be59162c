"""What ``edgecnn classify`` makes of an answer: something printed, and a picture with its label on it."""

from __future__ import annotations

import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from edgecnn.cli.console import printable
from edgecnn.cli.forms import Form, Found, as_json, as_labels, as_line, csv_form, nothing
from edgecnn_runtime import Classifier, ImageError, Prediction
from edgecnn_runtime.image import Picture
from edgecnn_runtime.pipeline import Answer, Item
from edgecnn_runtime.stamp import Stamp

if TYPE_CHECKING:
    from edgecnn_runtime.annotate import Folder

_FORMS: dict[str | None, Form] = {"json": as_json, "labels": as_labels}


class Wanted(NamedTuple):
    """What is to be told of a picture, and how.

    Attributes:
        form: ``json``, ``csv``, ``labels``; None for a table on a terminal and for lines elsewhere.
        top: how many classes at most.
        threshold: the lowest score of a class.
        timing: whether what it took.
        folder: where to write the picture with its label on it; None for nowhere.
    """

    form: str | None
    top: int
    threshold: float
    timing: bool
    folder: Folder | None


class Printer:
    """Prints answers as they come."""

    def __init__(self, classifier: Classifier, wanted: Wanted, several: bool) -> None:
        """``classifier`` knows the labels; ``several`` says whether there is more than one picture."""
        self._classifier, self._wanted = classifier, wanted
        self._stamps: deque[Stamp | None] = deque()
        self._form = self._chosen(several)

    def noting(self, items: Iterable[Item]) -> Iterator[Item]:
        """The pictures, to be shown in this order. If copies are wanted, it is noted which file each of them is."""
        for item in items:
            if self._wanted.folder:
                self._stamps.append(_stamp(item.picture))
            yield item

    def show(self, answer: Answer) -> ImageError | None:
        """Print an answer, if there is one; what could not be done for this picture."""
        classified = self._stamps.popleft() if self._stamps else None
        if answer.scores is None or isinstance(answer.item.picture, ImageError):
            return answer.error
        ranked = self._classifier.ranked(answer.scores, self._wanted.top)
        predictions = [each for each in ranked if each.score >= self._wanted.threshold]
        steps = answer.timing._asdict() if answer.timing and self._wanted.timing else {}
        problem = annotated = None
        if self._wanted.folder:
            name, picture, text = answer.item.name, answer.item.picture, self._text(predictions)
            try:
                annotated = str(self._wanted.folder.write(name, picture, text, lambda: _stamp(picture) == classified))
            except ImageError as raised:
                problem, annotated = raised, ""
        milliseconds = {step: 1000 * seconds for step, seconds in steps.items()}
        # At once, for a reader who waits for each, and so that one who has left is noticed.
        print(self._form(Found(answer.item.name, predictions, milliseconds, annotated)), flush=True)
        return problem

    def _text(self, predictions: list[Prediction]) -> str:
        if not predictions:
            return nothing(self._wanted.threshold)
        return f"{printable(predictions[0].label)} {predictions[0].score:.1%}"

    def _chosen(self, several: bool) -> Form:
        wanted = self._wanted
        if wanted.form in _FORMS:
            return _FORMS[wanted.form]
        if wanted.form == "csv":
            return csv_form()
        if not sys.stdout.isatty():
            return as_line
        from edgecnn.cli.table_form import table_form

        labels = self._classifier.contract.labels
        return table_form(labels, wanted.top, wanted.threshold, wanted.timing, several)


def _stamp(picture: Picture | ImageError) -> Stamp | None:
    """Of a file that is there; None of all else."""
    if not isinstance(picture, str | os.PathLike):
        return None
    try:
        return Stamp.of(os.stat(picture))  # noqa: PTH116 - pathlib's takes longer
    except OSError:
        return None
