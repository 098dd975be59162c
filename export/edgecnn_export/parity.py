"""Exported files against their Keras model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edgecnn_export import keras_file
from edgecnn_export.comparison import Row, compare
from edgecnn_export.dataset import Dataset
from edgecnn_export.gate import TOLERANCES, Probabilities
from edgecnn_export.reference import reference_scores, require_skill
from edgecnn_export.scoring import Scores, programs, score
from edgecnn_runtime import container
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.errors import ExportError, ModelFileError


@dataclass(frozen=True)
class Exported:
    """An exported file.

    Attributes:
        path: of the file.
        contract: what it promises.
        size: of the model in it, in bytes; its contract comes on top.
    """

    path: Path
    contract: Contract
    size: int

    @classmethod
    def open(cls, path: Path) -> Exported:
        """Read and check a file.

        Raises:
            ModelFileError: it is missing, damaged, or was not written by edgecnn.
        """
        contract, whole = container.read(path)
        drop = contract.parity.get("max_drop")
        known = drop is None or (type(drop) in (int, float) and 0 <= drop <= 100)
        if contract.precision not in TOLERANCES or not known:
            raise ModelFileError(
                f"{path}: is in {contract.precision!r} and may lose {drop!r} points, and nobody knows what that means; "
                "export it again"
            )
        return cls(path, contract, container.parse(whole)[1])


@dataclass(frozen=True, eq=False)
class Answers:
    """What one interpreter makes of the images with one file."""

    file: Exported
    scores: Scores

    def beside(self, reference: Probabilities, data: Dataset) -> Row:
        """Compare them with the Keras model's, shape (N, classes), for the same images."""
        contract = self.file.contract
        allowed = contract.parity.get("max_drop")
        return compare(self.file.path.name, contract, self.file.size, self.scores, reference, data, allowed)


def answers(
    files: Iterable[Exported],
    data: Dataset,
    told: Callable[[str], None] = lambda _: None,
    failed: Callable[[ExportError], None] | None = None,
) -> list[Answers]:
    """Run the images through each file in every installed interpreter.

    Args:
        files: exported, in the order of the answers.
        data: the images.
        told: the name of each file before it runs.
        failed: told why there are no answers of a file, or of an interpreter, which is then passed over.

    Raises:
        ExportError: there is no interpreter for a file, or one failed, and nobody is to be told.
    """
    found: list[Answers] = []
    for file in files:
        told(file.path.name)
        with passing_over(failed):
            for backend in programs(file.contract.format):
                with passing_over(failed):
                    found.append(Answers(file, score(file.path, data.images, backend)))
    return found


@contextmanager
def passing_over(failed: Callable[[ExportError], None] | None) -> Iterator[None]:
    """Go on behind what cannot be made or does not run, if ``failed`` is there to be told why."""
    try:
        yield
    except ExportError as problem:
        if failed is None:
            raise
        failed(problem)


def compare_files(source: Path, files: Iterable[Path], data: Dataset) -> tuple[float | None, list[Row]]:
    """Compare exported files with the Keras model at ``source`` in every installed interpreter.

    Returns:
        The Keras model's accuracy, 0 to 1 (None where the labels are not known), and one row a file and interpreter.

    Raises:
        ModelFileError: a file is missing, damaged, or was not written by edgecnn.
        ExportError: the Keras model cannot be read, or a file is of another network or training.
        ParityError: the Keras model is too weak to compare with.
    """
    opened = [Exported.open(path) for path in files]
    model, about = keras_file.load(source)
    for each in opened:
        _require_origin(each, source, about)
    reference = reference_scores(model, data)
    accuracy = require_skill(reference, data)
    return accuracy, [each.beside(reference, data) for each in answers(opened, data)]


def _require_origin(file: Exported, source: Path, about: keras_file.About) -> None:
    """Refuse a file that says itself that it was made of something else."""
    contract = file.contract
    said = {
        "other labels": contract.labels == about.labels,
        "another name": contract.model == about.name,
        "another input": contract.input == about.input,
        "another training": contract.training == about.training,
    }
    for what, same in said.items():
        if not same:
            raise ExportError(f"{file.path} has {what} than {source}: it is not an export of this model")
