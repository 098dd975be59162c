"""Whether the files are still the same model: the sections on parity, and on the pictures on which they differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from edgecnn.report.answers import Answered, Evidence
from edgecnn.report.pictures import address
from edgecnn.report.subjects import Subject
from edgecnn_export.card_proof import items, results_of
from edgecnn_export.comparison import Row
from edgecnn_export.parity import Exported

_MOST = 12


@dataclass(frozen=True)
class Line:
    """A row of the parity table.

    Attributes:
        answered: whose answers.
        accuracy: share of the images that are right.
        interval: its 95 % interval.
        row: the comparison with the Keras model; None where there is none.
    """

    answered: Answered
    accuracy: float
    interval: tuple[float, float]
    row: Row | None


@dataclass(frozen=True)
class Said:
    """A label that a picture gets.

    Attributes:
        label: its name.
        right: whether it is the true one.
        by: the models that give it.
        lowest: probability among those that they give it, 0 to 1.
        highest: likewise.
    """

    label: str
    right: bool
    by: list[str]
    lowest: float
    highest: float


@dataclass(frozen=True)
class Differing:
    """A picture that gets different labels: its ``data:`` address, place among the images, true label, and labels."""

    picture: str
    position: int
    label: str
    said: list[Said]


def lines(evidence: Evidence) -> list[Line]:
    """Every model, the Keras model first."""
    rows: Iterator[Row | None] = iter(evidence.rows)
    return [
        Line(each, each.metrics.accuracy, each.metrics.interval, next(rows, None) if each.of else None)
        for each in evidence.answered
    ]


def differing(evidence: Evidence) -> list[Differing]:
    """The pictures on which the models disagree most."""
    data, names = evidence.data, evidence.data.label_names
    return [
        Differing(
            address(data.images[index]),
            index,
            names[data.labels[index]],
            [_said(evidence, index, label, by) for label, by in evidence.said(index).items()],
        )
        for index in evidence.differing[:_MOST].tolist()
    ]


def _said(evidence: Evidence, index: int, label: int, answered: list[Answered]) -> Said:
    probabilities = [float(each.probabilities[index, label]) for each in answered]
    by = list(dict.fromkeys(_short(evidence, each, answered) for each in answered))
    right = bool(label == evidence.data.labels[index])
    return Said(evidence.data.label_names[label], right, by, min(probabilities), max(probabilities))


def _short(evidence: Evidence, one: Answered, agreeing: list[Answered]) -> str:
    """A file by its precision and format, where no other has both, with its interpreter if another says otherwise."""
    if one.of is None:
        return one.name
    file, contract = one.of.file, one.of.file.contract
    others = {each.of.file.path: each.of.file.contract for each in evidence.answered if each.of}
    alike = [each for each in others.values() if (each.precision, each.format) == (contract.precision, contract.format)]
    name = f"{contract.precision} {contract.format}" if len(alike) == 1 else file.path.name
    mine = [each for each in evidence.answered if each.of and each.of.file is file]
    return name if all(each in agreeing for each in mine) else f"{name} in {one.of.scores.backend}"


def proved_at_export(subject: Subject) -> tuple[int, int]:
    """How many files carry a proof in which every check passed, and how many files there are."""
    results = [results_of(each.contract) for each in subject.files]
    proved = [bool(each) and all(result.get("passed") is True for result in each) for each in results]
    return sum(proved), len(proved)


def why_refused(file: Exported) -> list[str]:
    """The checks that a file did not pass at export, in words; a contract is anybody's JSON."""
    return [
        f"{check.get('name')}: {check.get('measured')}; {check.get('allowed')} ({result.get('backend')})"
        for result in results_of(file.contract)
        for check in items(result.get("checks"))
        if isinstance(check, dict) and check.get("passed") is not True
    ]
