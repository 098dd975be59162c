"""The gate: what is checked of an exported file, and what is tolerated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecnn_export.intervals import Interval, wilson
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.signature import Signature, Tensor

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tolerance:
    """How far an exported file may be from the Keras model.

    Attributes:
        difference: largest difference of any probability. Where it is below 1, another top label is allowed only
            between probabilities that are closer than rounding to it.
        agreement: lowest share of images with the same top label, beside the accuracy; but a share whose 95 % interval
            reaches it is not too low: of ten images, two coin-flips are a fifth.
        unlabelled: the same where no accuracy can be measured, and without such an allowance.
        drop: largest loss of accuracy, in points. A loss whose 95 % interval holds zero is not taken for one: on a
            thousand images a handful of coin-flips is more than half a point.
    """

    difference: float = 1.0
    agreement: float = 0.9
    unlabelled: float = 0.9
    drop: float = 0.5

    def with_drop(self, max_drop: float | None) -> Tolerance:
        """The same with another ``drop``, unless that is None.

        Where more may be lost, more may differ: for each answer that is lost, one that was wrong may change too.
        """
        if max_drop is None:
            return self
        more = max(0.0, max_drop - self.drop) / 100
        return replace(self, drop=max_drop, agreement=max(0.0, self.agreement - 2 * more))


TOLERANCES = {
    "fp32": Tolerance(difference=1e-4, unlabelled=1.0, drop=0.0),
    "fp16": Tolerance(unlabelled=0.99, drop=0.1),
    "dynamic": Tolerance(drop=0.1),
    "int16x8": Tolerance(unlabelled=0.98, drop=0.1),
    "int8": Tolerance(drop=0.5),
}
"""By precision. fp32 must agree; the others may differ on some images, but not lose accuracy."""


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


def check_interface(actual: Signature, expected: Signature) -> Iterator[Check]:
    """The names and types, and the shapes, of input and output."""

    def names(signature: Signature) -> str:
        return " -> ".join(f"{each.name} {each.type}" for each in signature)

    def shapes(signature: Signature) -> str:
        return " -> ".join("x".join(map(str, each.shape)) for each in signature)

    for name, told in (("names", names), ("shapes", shapes)):
        yield Check(name, told(actual), told(expected), told(actual) == told(expected))


def check_values(difference: float, tolerance: Tolerance) -> Check:
    """The largest difference of a probability, infinite where one is not a number."""
    if not np.isfinite(difference):
        return Check("values", "some probabilities are not numbers", "all must be", False)
    limited = tolerance.difference < 1
    allowed = f"at most {tolerance.difference:.0e}" if limited else ""
    return Check("values", f"largest difference {difference:.1e}", allowed, difference <= tolerance.difference)


def check_labels(guess: Any, expected: Any, reference: Probabilities, tolerance: Tolerance) -> Check:
    """The top labels, shape (N,), where they must be the same: only ties may fall the other way."""
    rows = np.arange(len(reference))
    margin = reference[rows, expected] - reference[rows, guess]
    differing, real = int((guess != expected).sum()), int((margin > 2 * tolerance.difference).sum())
    measured = f"{differing:,} other top labels, {real:,} of them beyond rounding"
    return Check("labels", measured, "none beyond rounding", real == 0)


def check_agreement(
    guess: Any, expected: Any, label_names: Sequence[str], tolerance: Tolerance, labelled: bool
) -> Check:
    """On how many of the images the top label, shape (N,), is the same; another network agrees on few.

    With labels it must be so on those alone, too, to which the Keras model does not give its commonest answer: where
    most pictures are of one class, a file that knows no other one agrees on most.
    """
    same = guess == expected
    measured, lowest = f"agrees on {same.mean():.2%} of the images", tolerance.unlabelled
    if not labelled:
        return Check("labels", measured, f"at least {lowest:.2%}", bool(same.mean() >= lowest))
    lowest, share = tolerance.agreement, _highest(same)
    common = int(np.bincount(expected).argmax())
    rarer = same[expected != common]
    if share >= lowest and len(rarer) and (share := _highest(rarer)) < lowest:
        measured = (
            f"agrees on {rarer.sum():,} of {len(rarer):,} images that the Keras model takes for another thing than "
            f"{label_names[common]!r}"
        )
    return Check("labels", measured, f"at least {lowest:.2%}", share >= lowest)


def _highest(same: npt.NDArray[np.bool_]) -> float:
    """The upper end of the share's 95 % interval."""
    return wilson(int(same.sum()), len(same))[1]


def check_accuracy(accuracy: float, change: float, interval: Interval, tolerance: Tolerance) -> Check:
    """The accuracy, its change in points and the 95 % interval of that."""
    measured = f"{accuracy:.2%}, {change:+.2f} points ({interval[0]:+.2f} to {interval[1]:+.2f})"
    lost = -change > tolerance.drop and interval[1] < 0
    return Check("accuracy", measured, f"at most {tolerance.drop:g} points lost", not lost)
