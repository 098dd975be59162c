"""The gate: is an exported file still the same model? What is checked, and what is tolerated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecnn_export.dataset import Dataset
from edgecnn_export.scoring import Scores
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.signature import Signature, Tensor

Probabilities = npt.NDArray[np.float32]
Interval = tuple[float, float]


@dataclass(frozen=True)
class Tolerance:
    """How far an exported file may be from the Keras model.

    Attributes:
        difference: largest difference of any probability. Where it is below 1, another top label is allowed only
            between probabilities that are closer than rounding to it.
        unlabelled: lowest share of images with the same top label, where no accuracy can be measured.
        drop: largest loss of accuracy, in points. A loss whose 95 % interval holds zero is not taken for one: on a
            thousand images a handful of coin-flips is more than half a point.
    """

    difference: float = 1.0
    unlabelled: float = 0.9
    drop: float = 0.5

    def with_drop(self, max_drop: float | None) -> Tolerance:
        """The same with another ``drop``, unless that is None."""
        return self if max_drop is None else replace(self, drop=max_drop)


TOLERANCES = {
    "fp32": Tolerance(difference=1e-4, unlabelled=1.0, drop=0.0),
    "fp16": Tolerance(unlabelled=0.99, drop=0.1),
    "dynamic": Tolerance(drop=0.1),
    "int16x8": Tolerance(unlabelled=0.98, drop=0.1),
    "int8": Tolerance(drop=0.5),
}
"""By precision. fp32 must agree; the others may differ image by image, but not lose accuracy."""


@dataclass(frozen=True)
class Check:
    """One thing that was compared.

    Attributes:
        name: ``names``, ``shapes``, ``values``, ``labels`` or ``accuracy``.
        measured: what was found, in words.
        allowed: what is asked for, in words; empty if nothing is.
        passed: whether it is good enough.
    """

    name: str
    measured: str
    allowed: str
    passed: bool


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

    @property
    def failures(self) -> tuple[str, ...]:
        """The checks that it does not pass, in words; empty when it passes."""
        return tuple(f"{each.name}: {each.measured}; {each.allowed}" for each in self.checks if not each.passed)

    def as_dict(self) -> dict[str, Any]:
        """The fields, and ``passed``."""
        return asdict(self) | {"passed": not self.failures}


def complaints(rows: Iterable[Row]) -> list[str]:
    """Every check that any of the rows does not pass, with its file and its interpreter; empty when all pass."""
    return [f"{row.file}: {failure} ({row.backend})" for row in rows for failure in row.failures]


def expected_signature(contract: Contract) -> Signature:
    """Input and output as export names them.

    An int8 TFLite file gives quantized numbers; a Keras model and TensorFlow's int16x8 take no integers.
    """
    spec = contract.input
    floats = contract.format == "keras" or contract.precision == "int16x8"
    quantized = contract.format == "tflite" and contract.precision == "int8"
    return Signature(
        Tensor("pixels", "float32" if floats else "uint8", (spec.height, spec.width, 3)),
        Tensor("probabilities", "uint8" if quantized else "float32", (len(contract.labels),)),
    )


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
    agreement = float((guess == expected).mean())
    checks = [*_interface(scores.signature, expected_signature(contract)), _values(difference, tolerance)]
    if tolerance.difference < 1:
        checks.append(_labels(guess, expected, reference, tolerance))
    elif not data.labelled:
        checks.append(_agreement(agreement, tolerance))
    if accuracy is not None and change is not None and interval is not None:
        checks.append(_accuracy(accuracy, change, interval, tolerance))
    return Row(
        file=file,
        format=contract.format,
        precision=contract.precision,
        backend=scores.backend,
        size=size,
        accuracy=accuracy,
        change=change,
        interval=interval,
        agreement=agreement,
        difference=difference,
        latency=scores.latency,
        checks=tuple(checks),
        worst_classes=_worst_classes(guess, expected, data),
    )


def _interface(actual: Signature, expected: Signature) -> Iterator[Check]:
    def names(signature: Signature) -> str:
        return " -> ".join(f"{each.name} {each.type}" for each in signature)

    def shapes(signature: Signature) -> str:
        return " -> ".join("x".join(map(str, each.shape)) for each in signature)

    for name, told in (("names", names), ("shapes", shapes)):
        yield Check(name, told(actual), told(expected), told(actual) == told(expected))


def _values(difference: float, tolerance: Tolerance) -> Check:
    if not np.isfinite(difference):
        return Check("values", "some probabilities are not numbers", "all must be", False)
    limited = tolerance.difference < 1
    allowed = f"at most {tolerance.difference:.0e}" if limited else ""
    return Check("values", f"largest difference {difference:.1e}", allowed, difference <= tolerance.difference)


def _labels(guess: Any, expected: Any, reference: Probabilities, tolerance: Tolerance) -> Check:
    rows = np.arange(len(reference))
    margin = reference[rows, expected] - reference[rows, guess]
    differing, real = int((guess != expected).sum()), int((margin > 2 * tolerance.difference).sum())
    measured = f"{differing:,} other top labels, {real:,} of them beyond rounding"
    return Check("labels", measured, "none beyond rounding", real == 0)


def _agreement(agreement: float, tolerance: Tolerance) -> Check:
    lowest = tolerance.unlabelled
    return Check(
        "labels", f"agrees on {agreement:.2%} of the images", f"at least {lowest:.2%}", bool(agreement >= lowest)
    )


def _accuracy(accuracy: float, change: float, interval: Interval, tolerance: Tolerance) -> Check:
    measured = f"{accuracy:.2%}, {change:+.2f} points ({interval[0]:+.2f} to {interval[1]:+.2f})"
    lost = -change > tolerance.drop and interval[1] < 0
    return Check("accuracy", measured, f"at most {tolerance.drop:g} points lost", not lost)


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


def accuracy_change(right: npt.NDArray[np.bool_], reference_right: npt.NDArray[np.bool_]) -> tuple[float, Interval]:
    """Change of accuracy in points between two classifiers on the same images, and its 95 % interval.

    The interval is Agresti and Min's adjusted one for paired proportions (2005, "Simple improved confidence
    intervals for comparing matched proportions"): half an observation is added to each cell of the 2 x 2 table.
    """
    count = len(right)
    gained, lost = int((right & ~reference_right).sum()), int((~right & reference_right).sum())
    total = count + 2
    centre = (gained - lost) / total
    spread = 1.96 * np.sqrt(gained + lost + 1 - (gained - lost) ** 2 / total) / total
    return 100 * (gained - lost) / count, (100 * float(centre - spread), 100 * float(centre + spread))
