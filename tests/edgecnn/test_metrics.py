"""The figures of a classifier, against ones worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from edgecnn.metrics import Metrics, measure, require_numbers, surest
from edgecnn_export.intervals import wilson
from edgecnn_runtime.errors import ExportError


@pytest.fixture
def measured() -> Metrics:
    """Four cats (three found, one called a dog), three dogs (two found, one called a cow), no cow, no hen."""
    labels = np.array([0, 0, 0, 0, 1, 1, 1])
    guesses = np.array([0, 0, 0, 1, 1, 1, 2])
    return measure(labels, np.eye(4, dtype=np.float32)[guesses])


def test_confusion(measured: Metrics) -> None:
    assert measured.confusion.tolist() == [[3, 1, 0, 0], [0, 2, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert measured.support.tolist() == [4, 3, 0, 0]


def test_figures(measured: Metrics) -> None:
    assert measured.right == 5
    assert measured.accuracy == pytest.approx(5 / 7)
    assert measured.balanced_accuracy == pytest.approx((3 / 4 + 2 / 3) / 2)
    nan = float("nan")
    np.testing.assert_allclose(measured.precision, [1, 2 / 3, 0, nan])
    np.testing.assert_allclose(measured.recall, [3 / 4, 2 / 3, nan, nan])
    np.testing.assert_allclose(measured.f1, [6 / 7, 2 / 3, 0, nan])


@pytest.mark.parametrize(
    ("right", "count", "interval"),
    [
        # Newcombe, "Two-sided confidence intervals for the single proportion", 1998, table I, method 3.
        (81, 263, (0.2553, 0.3662)),
        (15, 148, (0.0624, 0.1605)),
        (0, 20, (0.0, 0.1611)),
        (1, 29, (0.0061, 0.1718)),
    ],
)
def test_wilson(right: int, count: int, interval: tuple[float, float]) -> None:
    assert wilson(right, count) == pytest.approx(interval, abs=5e-5)
    low, high = wilson(count - right, count)
    assert (1 - high, 1 - low) == pytest.approx(interval, abs=5e-5)


def test_the_interval_is_that_of_the_accuracy(measured: Metrics) -> None:
    assert measured.interval == wilson(5, 7)


def test_the_surest_first() -> None:
    labels = np.array([0, 1, 0, 1, 1])
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.6, 0.4]], np.float32)
    assert surest(labels, probabilities, right=True).tolist() == [2, 3, 0]
    assert surest(labels, probabilities, right=False).tolist() == [1, 4]
    assert surest(labels[:1], probabilities[:1], right=False).tolist() == []


def test_answers_that_are_no_numbers_are_not_counted() -> None:
    probabilities = np.full((3, 2), 0.5, np.float32)
    require_numbers(probabilities, "x.onnx")
    probabilities[1, 0] = np.nan
    with pytest.raises(
        ExportError, match=r"^x\.onnx gives answers that are no numbers \(NaN\); export the model again$"
    ):
        require_numbers(probabilities, "x.onnx")
