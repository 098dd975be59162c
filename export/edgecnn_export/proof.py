"""Put a converted model in its place if it is still the same model, and aside if it is not."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edgecnn_export import artifact
from edgecnn_export.artifact import Artifact
from edgecnn_export.card import card
from edgecnn_export.comparison import Row, compare, complaints
from edgecnn_export.dataset import Dataset
from edgecnn_export.gate import Probabilities
from edgecnn_export.placing import beside, place, remove
from edgecnn_export.scoring import RefusedError, Scores, score_everywhere
from edgecnn_runtime import sheet
from edgecnn_runtime.contract import MAX_VALUES, Contract, Golden

GOLDEN_IMAGES = 16
GOLDEN_IMAGES_LARGE = 4
_LARGE = 64 * 64
_VALUES = MAX_VALUES // 4
"""Of the interpreters' answers; as many again at most are the model's, and the contract holds more."""


@dataclass(frozen=True, eq=False)
class Reference:
    """What a file is measured by.

    Attributes:
        data: images to compare on.
        scores: the Keras model's probabilities for them, shape (N, classes).
        accuracy: the Keras model's, 0 to 1; None where the labels are not known.
        max_drop: largest loss of accuracy, in points; None for the usual of the precision.
    """

    data: Dataset
    scores: Probabilities
    accuracy: float | None
    max_drop: float | None = None


def rejected(target: Path) -> Path:
    """Where a file is kept that is not the same model."""
    return target.with_name(f"{target.name}.rejected")


def report_of(path: Path) -> Path:
    """The JSON report beside a file."""
    return path.with_name(f"{path.name}.json")


def card_of(path: Path) -> Path:
    """The model card beside a file."""
    return path.with_name(f"{path.name}.md")


def prove(target: Path, payload: Artifact, contract: Contract, reference: Reference) -> list[Row]:
    """Compare a converted model with the Keras model in every installed interpreter, and write it.

    If it passes, it becomes ``target``, with the comparison in its contract; otherwise it is kept as
    :func:`rejected`, and whatever was at ``target`` stays. A report stands beside either, and a model card beside what
    may be used.

    Raises:
        ExportError: there is no interpreter, or one failed. Nothing is written then.
        OSError: the folder cannot be written.
    """
    with beside(target) as temporary:
        artifact.write(temporary, payload, contract)
        scores, rows = _compare(temporary, target.name, artifact.size(payload), contract, reference)
        passed = not complaints(rows)
        compared: dict[str, Any] = {
            "data": reference.data.name,
            "images": len(reference.data),
            "fingerprint": reference.data.fingerprint,
            "reference_accuracy": reference.accuracy,
            "max_drop": reference.max_drop,
            "results": [row.as_dict() for row in rows],
        }
        proved = replace(contract, parity=compared, golden=golden(reference, scores))
        artifact.write(temporary, payload, proved)
        kept = target if passed else rejected(target)
        pairs = [(temporary, kept)]
        report: dict[str, Any] = {"file": kept.name, "model": contract.model, "format": contract.format}
        report |= {"precision": contract.precision, "rescue": contract.rescue, **compared}
        with beside(report_of(kept)) as written, beside(card_of(kept)) as described:
            written.write_text(json.dumps(report, indent=2) + "\n")
            pairs.append((written, report_of(kept)))
            if passed:
                said = card(artifact.sealed(payload, proved), artifact.size(payload))
                described.write_text(said, encoding="utf-8")
                pairs.append((described, card_of(kept)))
            place(pairs)
        if passed:
            for stale in (rejected(target), report_of(rejected(target))):
                remove(stale)
    return rows


def passes(payload: bytes, contract: Contract, reference: Reference, folder: Path) -> bool:
    """Whether a converted model would pass, without writing anything that stays.

    Raises:
        ExportError: there is no interpreter.
        OSError: the folder cannot be written.
    """
    with beside(folder / f"trial.{contract.format}") as temporary:
        artifact.write(temporary, payload, contract)
        try:
            _, rows = _compare(temporary, temporary.name, artifact.size(payload), contract, reference)
        except RefusedError:
            return False
        return not complaints(rows)


def _compare(
    path: Path, name: str, size: int, contract: Contract, reference: Reference
) -> tuple[list[Scores], list[Row]]:
    """What every installed interpreter makes of the file at ``path``, and how that compares."""
    scores = score_everywhere(path, contract.format, reference.data.images)
    known = reference.scores, reference.data, reference.max_drop
    return scores, [compare(name, contract, size, each, *known) for each in scores]


def golden(reference: Reference, scores: list[Scores]) -> Golden:
    """Some of the images with every answer to them, as many as one sheet and a contract hold, and one at least."""
    images: Any = reference.data.images
    _, height, width, _ = images.shape
    most = GOLDEN_IMAGES if height * width <= _LARGE else GOLDEN_IMAGES_LARGE
    most = max(1, min(most, len(images), _VALUES // (reference.scores.shape[1] * len(scores))))
    count = next(each for each in range(most, 0, -1) if each == 1 or sheet.fits(each, height, width))
    chosen = np.linspace(0, len(images) - 1, count).astype(int)

    def rows(probabilities: Probabilities) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(round(float(p), 7) for p in row) for row in probabilities[chosen])

    packed = sheet.pack_text(images[chosen])
    exported = {each.backend: rows(each.probabilities) for each in scores}
    return Golden(len(chosen), packed, rows(reference.scores), exported)
