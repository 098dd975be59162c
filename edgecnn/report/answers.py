"""What a network and its exported files make of the test images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgecnn.metrics import Metrics, measure, require_numbers
from edgecnn.report.subjects import Subject
from edgecnn_export import parity
from edgecnn_export.comparison import Row
from edgecnn_export.dataset import Dataset
from edgecnn_export.reference import reference_scores, require_skill
from edgecnn_runtime.errors import ExportError, ParityError

if TYPE_CHECKING:
    import keras

KERAS = "Keras model"


@dataclass(frozen=True, eq=False)
class Answered:
    """The answers of a model in a program.

    Attributes:
        name: of both, for people.
        probabilities: shape (N, classes).
        metrics: how good they are.
        of: the exported file and its interpreter; None for the Keras model.
    """

    name: str
    probabilities: npt.NDArray[np.float32]
    metrics: Metrics
    of: parity.Answers | None = None

    @cached_property
    def guesses(self) -> npt.NDArray[np.int64]:
        """The most probable label of each image, shape (N,)."""
        return np.asarray(self.probabilities.argmax(-1))


@dataclass(frozen=True, eq=False)
class Evidence:
    """All answers to the same images.

    Attributes:
        data: the images.
        answered: the Keras model first, if there is one, then each file in each interpreter.
        rows: the files compared with the Keras model; empty without one.
        weak: why a comparison with the Keras model proves nothing; empty if it does.
        failures: why a file, or an interpreter with one, has not answered.
    """

    data: Dataset
    answered: list[Answered]
    rows: list[Row] = field(default_factory=list)
    weak: str = ""
    failures: list[str] = field(default_factory=list)

    @property
    def chief(self) -> Answered:
        """Whose answers are shown where one model's are: the Keras model's, else the first file's."""
        return self.answered[0]

    def of_file(self, path: Path, backend: str) -> Answered | None:
        """The answers of a file in an interpreter with its version."""
        for each in self.answered:
            if each.of and (each.of.file.path, each.of.scores.backend) == (path, backend):
                return each
        return None

    @cached_property
    def differing(self) -> npt.NDArray[np.int64]:
        """The images that do not get the same label from all, those with the most dissenters first.

        Of as many, the one whose dissenters are surest comes first.
        """
        guesses = np.stack([each.guesses for each in self.answered])
        dissent = guesses != guesses[0]
        sure = np.stack([each.probabilities.max(-1) for each in self.answered])
        surest = np.where(dissent, sure, 0).max(0)
        count = np.minimum(dissent.sum(0), (~dissent).sum(0))
        (found,) = np.nonzero(dissent.any(0))
        return np.asarray(found[np.lexsort((-surest[found], -count[found]))])

    @cached_property
    def agreement(self) -> npt.NDArray[np.float64]:
        """Share of the images to which two give the same label, shape (answered, answered)."""
        guesses = np.stack([each.guesses for each in self.answered])
        return np.asarray((guesses[:, None] == guesses[None]).mean(-1))

    def said(self, index: int) -> dict[int, list[Answered]]:
        """Who gives an image which label, by label; the chief's label is the first."""
        found: dict[int, list[Answered]] = {}
        for each in self.answered:
            found.setdefault(int(each.guesses[index]), []).append(each)
        return found


def collect(
    subject: Subject, model: keras.Model | None, data: Dataset, told: Callable[[str], None] = lambda _: None
) -> Evidence:
    """Show the images to the Keras model, and to each exported file in every installed interpreter.

    Args:
        subject: with a Keras file or exported files.
        model: the Keras model, if there is one.
        data: labelled images.
        told: what is at work, before it is.

    Raises:
        ExportError: the model does not take such images, or its answers are no probabilities.
    """
    reference: Any = None
    weak = ""
    answered: list[Answered] = []
    if model is not None:
        told(subject.about.name)
        reference = reference_scores(model, data)
        answered.append(Answered(KERAS, reference, measure(data.labels, reference)))
        try:
            require_skill(reference, data)
        except ParityError as problem:
            weak = str(problem)
    failures: list[str] = []
    of_files = []

    def failed(problem: ExportError) -> None:
        failures.append(str(problem))

    for each in parity.answers(subject.files, data, told, failed):
        name, probabilities = f"{each.file.path.name}, {each.scores.backend}", each.scores.probabilities
        with parity.passing_over(failed):
            require_numbers(probabilities, name)
            of_files.append(each)
            answered.append(Answered(name, probabilities, measure(data.labels, probabilities), each))
    rows = [] if reference is None else [each.beside(reference, data) for each in of_files]
    return Evidence(data, answered, rows, weak, failures)
