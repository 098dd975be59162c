"""What counts as the same model, on made-up answers."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from edgecnn_export.dataset import Dataset
from edgecnn_export.parity import Row, accuracy_change, compare, require_skill
from edgecnn_export.scoring import Scores
from edgecnn_runtime.errors import ParityError

COUNT, CLASSES = 1000, 4


@pytest.fixture
def data() -> Dataset:
    images = np.zeros((COUNT, 2, 2, 3), np.uint8)
    return Dataset("made-up", images, np.arange(COUNT) % CLASSES, ("a", "b", "c", "d"))


def answers(labels: npt.NDArray[np.int64], wrong: int = 0) -> npt.NDArray[np.float32]:
    """Probabilities 0.7 for the label, or for the next one in the first ``wrong`` images."""
    top = labels.copy()
    top[:wrong] = (top[:wrong] + 1) % CLASSES
    scores = np.full((len(labels), CLASSES), 0.1, np.float32)
    scores[np.arange(len(labels)), top] = 0.7
    return scores


def row(precision: str, exported: npt.NDArray[np.float32], data: Dataset, reference_wrong: int = 100) -> Row:
    reference = answers(np.arange(COUNT) % CLASSES, reference_wrong)
    return compare("m.onnx", "onnx", precision, 1, Scores("x 1", exported, 0.1), reference, data)


def test_the_same_answers_pass_in_every_precision(data: Dataset) -> None:
    for precision in ("fp32", "fp16", "dynamic", "int8"):
        same = row(precision, answers(data.labels, 100), data)
        assert same.failures == ()
        assert (same.accuracy, same.change, same.agreement, same.difference) == (0.9, 0.0, 1.0, 0.0)


def test_a_float_file_may_not_change_one_label_in_a_thousand(data: Dataset) -> None:
    assert "agrees on 99.90%" in " ".join(row("fp32", answers(data.labels, 101), data).failures)
    assert row("fp16", answers(data.labels, 101), data).failures == ()
    assert "agrees on 99.80%" in " ".join(row("fp16", answers(data.labels, 102), data).failures)


def test_a_float_file_may_not_shift_a_probability(data: Dataset) -> None:
    exported = answers(data.labels, 100)
    exported[5, 0] += 2e-4
    assert "differs by up to 2.0e-04" in " ".join(row("fp32", exported, data).failures)


def test_a_lost_accuracy_is_refused(data: Dataset) -> None:
    lossy = row("int8", answers(data.labels, 120), data)
    assert lossy.change == pytest.approx(-2.0)
    assert lossy.failures == ("loses 2.00 points, at most 0.5 is allowed",)


def test_noise_on_few_images_is_not_taken_for_loss(data: Dataset) -> None:
    exported = answers(data.labels, 100)
    better, worse = slice(0, 17), slice(500, 523)  # 17 mended, 23 spoilt: 0.6 points, and could be chance
    exported[better] = answers(data.labels)[better]
    exported[worse] = np.roll(answers(data.labels)[worse], 1, axis=1)
    noisy = row("int8", exported, data)
    assert noisy.change == pytest.approx(-0.6)
    assert noisy.interval is not None
    assert noisy.interval[0] < 0 < noisy.interval[1]
    assert noisy.failures == ()


def test_numbers_that_are_none_are_refused(data: Dataset) -> None:
    exported = answers(data.labels, 100)
    exported[3] = np.nan
    for precision in ("fp32", "int8"):
        assert "not numbers" in " ".join(row(precision, exported, data).failures)


def test_a_reference_near_chance_is_refused(data: Dataset) -> None:
    assert require_skill(answers(data.labels, 100), data) == pytest.approx(0.9)
    with pytest.raises(ParityError, match="proves nothing"):
        require_skill(answers(data.labels, 700), data)
    one_label = np.tile(np.array([0.7, 0.1, 0.1, 0.1], np.float32), (COUNT, 1))
    with pytest.raises(ParityError, match=r"25\.0%"):
        require_skill(one_label, data)


def unlabelled(data: Dataset) -> Dataset:
    return Dataset("my pictures", data.images, np.full(COUNT, -1), data.label_names)


def test_without_labels_no_accuracy_is_claimed(data: Dataset) -> None:
    same = row("int8", answers(data.labels, 100), unlabelled(data))
    assert (same.accuracy, same.change, same.interval) == (None, None, None)
    assert (same.agreement, same.failures) == (1.0, ())
    assert same.as_dict()["accuracy"] is None


def test_without_labels_eight_bits_must_agree(data: Dataset) -> None:
    for precision in ("int8", "dynamic"):
        assert row(precision, answers(data.labels, 200), unlabelled(data)).failures == ()
        failed = row(precision, answers(data.labels, 201), unlabelled(data))
        assert failed.failures == ("agrees on 89.90% of the images, at least 90.00% is asked",)
    assert row("fp32", answers(data.labels, 101), unlabelled(data)).failures


def test_without_labels_answers_must_vary(data: Dataset) -> None:
    assert require_skill(answers(data.labels), unlabelled(data)) is None
    one_label = answers(np.where(np.arange(COUNT) < 501, 2, data.labels))
    with pytest.raises(ParityError, match=r"answers 'c' to 6\d% of my pictures; agreement with it proves nothing"):
        require_skill(one_label, unlabelled(data))


def test_the_interval_is_agresti_and_mins() -> None:
    # Their formula by hand for 10 gained and 30 lost of 500 pairs: -20/502 +- 1.96 sqrt(41 - 400/502)/502.
    gained, lost = np.arange(500) < 10, (np.arange(500) >= 100) & (np.arange(500) < 130)
    reference = ~gained
    right = ~lost
    change, (low, high) = accuracy_change(right, reference)
    assert change == pytest.approx(-4.0)
    assert (low, high) == pytest.approx((-6.4598, -1.5083), abs=5e-4)


def test_the_interval_holds_the_truth_about_95_times_in_100() -> None:
    rng = np.random.default_rng(0)
    held = 0
    for _ in range(2000):
        both = rng.random(1000)
        right, reference = both > 0.13, (both > 0.10) & (both < 0.98)  # true change: +0.02 - 0.03 = -1 point
        low, high = accuracy_change(right, reference)[1]
        held += low <= -1.0 <= high
    assert 0.93 <= held / 2000 <= 0.97
