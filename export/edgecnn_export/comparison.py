"""An exported file in one interpreter, beside the Keras model it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edgecnn_export.dataset import Dataset
from edgecnn_export.gate import (
    TOLERANCES,
    Check,
    Probabilities,
    check_accuracy,
    check_agreement,
    check_interface,
    check_labels,
    check_values,
    expected_signature,
)
from edgecnn_export.intervals import Interval, accuracy_change
from edgecnn_export.scoring import Scores
from edgecnn_runtime.contract import Contract


@dataclass(frozen=True)
class Row:
    """One file in one interpreter, compared with the Keras model on the same images.

    Attributes:
        file: name of the file.
        format: ``tflite`` or ``onnx``.
        precision: of the file.
        backend: interpreter and version.
        size: of the model in the file, in bytes; its contract comes on top.
        accuracy: share of the images it gets right, 0 to 1; None where their labels are not known.
        change: of accuracy against the Keras model, in points; None likewise.
        interval: 95 % confidence interval of ``change``, in points; None likewise.
        agreement: share of the images with the same top label, 0 to 1.
        difference: largest difference of any probability.
        latency: median milliseconds for one image on one thread.
        checks: what was compared, in order.
        worst_classes: loss of accuracy by label name, in points, the three largest losses.
        max_drop: largest loss of accuracy that was allowed it, in points; None for the usual of the precision.
    """

    file: str
    format: str
    precision: str
    backend: str
    size: int
    accuracy: float | None
    change: float | None
    interval: Interval | None
    agreement: float
    difference: float
    latency: float
    checks: tuple[Check, ...]
    worst_classes: dict[str, float]
    max_drop: float | None = None

    @property
    def verdict(self) -> str:
        """In a word; and what it may lose, where that is more than its precision usually may."""
        if self.failures:
            return "FAILED"
        wide = self.max_drop is not None and self.max_drop > TOLERANCES[self.precision].drop
        return f"passed, may lose {self.max_drop:g}" if wide else "passed"

    @property
    def failures(self) -> tuple[str, ...]:
        """The checks that it does not pass, in words; empty when it passes."""
        return tuple(f"{each.name}: {each.measured}; {each.allowed}" for each in self.checks if not each.passed)

    def as_dict(self) -> dict[str, Any]:
        """The fields, and ``passed``; a difference that is no number, which JSON does not have, is None."""
        difference = self.difference if np.isfinite(self.difference) else None
        return asdict(self) | {"difference": difference, "passed": not self.failures}


def complaints(rows: Iterable[Row]) -> list[str]:
    """Every check that any of the rows does not pass, with its file and its interpreter; empty when all pass."""
    return [f"{row.file}: {failure} ({row.backend})" for row in rows for failure in row.failures]


def compare(
    file: str,
    contract: Contract,
    size: int,
    scores: Scores,
    reference: Probabilities,
    data: Dataset,
    max_drop: float | None = None,
) -> Row:
    """Compare one interpreter's answers with the Keras model's, both of shape (N, classes).

    Args:
        file: its name.
        contract: what it promises.
        size: of the model in it, in bytes.
        scores: the interpreter's answers.
        reference: the Keras model's.
        data: the images that both saw.
        max_drop: largest loss of accuracy, in points; None for the usual of the precision.
    """
    tolerance = TOLERANCES[contract.precision].with_drop(max_drop)
    exported = scores.probabilities
    guess, expected = exported.argmax(-1), reference.argmax(-1)
    accuracy, change, interval = None, None, None
    if data.labelled:
        accuracy = float((guess == data.labels).mean())
        change, interval = accuracy_change(guess == data.labels, expected == data.labels)
    # A NaN compares false with everything: it must not slip through as a small difference.
    difference = float(np.abs(exported - reference).max()) if np.isfinite(exported).all() else float("inf")
    checks = [*check_interface(scores.signature, expected_signature(contract)), check_values(difference, tolerance)]
    if tolerance.difference < 1:
        checks.append(check_labels(guess, expected, reference, tolerance))
    if accuracy is not None and change is not None and interval is not None:
        checks.append(check_accuracy(accuracy, change, interval, tolerance))
    if tolerance.difference == 1:
        checks.append(check_agreement(guess, expected, data.label_names, tolerance, data.labelled))
    return Row(
        file=file,
        format=contract.format,
        precision=contract.precision,
        backend=scores.backend,
        size=size,
        accuracy=accuracy,
        change=change,
        interval=interval,
        agreement=float((guess == expected).mean()),
        difference=difference,
        latency=scores.latency,
        checks=tuple(checks),
        worst_classes=_worst_classes(guess, expected, data),
        max_drop=max_drop,
    )


def _worst_classes(guess: Any, expected: Any, data: Dataset) -> dict[str, float]:
    if not data.labelled:
        return {}
    lost = {
        name: 100 * float((expected[of] == label).mean() - (guess[of] == label).mean())
        for label, name in enumerate(data.label_names)
        if (of := data.labels == label).any()
    }
    worst = sorted(lost, key=lambda name: -lost[name])[:3]
    return {name: round(lost[name], 2) for name in worst if lost[name] > 0}
