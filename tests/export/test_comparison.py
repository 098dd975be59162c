"""What counts as the same model, on made-up answers."""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt
import pytest

from edgecnn_export.comparison import Row, compare
from edgecnn_export.dataset import Dataset
from edgecnn_export.gate import TOLERANCES, expected_signature
from edgecnn_export.intervals import accuracy_change
from edgecnn_export.reference import require_skill
from edgecnn_export.scoring import Scores
from edgecnn_runtime.contract import Contract, InputSpec
from edgecnn_runtime.errors import ParityError
from edgecnn_runtime.signature import Signature

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


def row(
    precision: str,
    exported: npt.NDArray[np.float32],
    data: Dataset,
    signature: Signature | None = None,
    max_drop: float | None = None,
) -> Row:
    """A file against a model that gets the first 100 of the 1,000 wrong."""
    contract = Contract("m", "onnx", precision, data.label_names, InputSpec(2, 2))
    scores = Scores("x 1", exported, 0.1, signature or expected_signature(contract))
    return compare("m.onnx", contract, 1, scores, answers(np.arange(COUNT) % CLASSES, 100), data, max_drop)


def test_the_same_answers_pass_in_every_precision(data: Dataset) -> None:
    for precision in ("fp32", "fp16", "dynamic", "int8"):
        same = row(precision, answers(data.labels, 100), data)
        assert same.failures == ()
        assert (same.accuracy, same.change, same.agreement, same.difference) == (0.9, 0.0, 1.0, 0.0)


def test_an_fp32_file_may_not_change_one_label(data: Dataset) -> None:
    failures = row("fp32", answers(data.labels, 101), data).failures
    assert "labels: 1 other top labels, 1 of them beyond rounding; none beyond rounding" in failures


def test_a_tie_may_fall_either_way(data: Dataset) -> None:
    reference, exported = answers(data.labels), answers(data.labels)
    for scores, (first, second) in ((reference, (0.4, 0.39995)), (exported, (0.39995, 0.4))):
        scores[7] = (first, second, 0.1, 0.1)
    contract = Contract("m", "onnx", "fp32", data.label_names, InputSpec(2, 2))
    given = Scores("x 1", exported, 0.1, expected_signature(contract))
    tied = compare("m.onnx", contract, 1, given, reference, data)
    assert tied.agreement == 0.999
    assert tied.failures == ()
    assert [each.measured for each in tied.checks if each.name == "labels"] == [
        "1 other top labels, 0 of them beyond rounding"
    ]


def test_a_float_file_may_not_shift_a_probability(data: Dataset) -> None:
    exported = answers(data.labels, 100)
    exported[5, 0] += 2e-4
    assert row("fp32", exported, data).failures == ("values: largest difference 2.0e-04; at most 1e-04",)


@pytest.mark.parametrize(
    ("precision", "allowed"), [("int8", 0.5), ("int16x8", 0.1), ("fp16", 0.1), ("dynamic", 0.1), ("fp32", 0.0)]
)
def test_a_lost_accuracy_is_refused(data: Dataset, precision: str, allowed: float) -> None:
    lossy = row(precision, answers(data.labels, 120), data)
    assert lossy.change == pytest.approx(-2.0)
    assert lossy.failures[-1] == (f"accuracy: 88.00%, -2.00 points (-2.88 to -1.11); at most {allowed:g} points lost")
    assert lossy.worst_classes == {"a": 2.0, "b": 2.0, "c": 2.0}


def test_how_much_may_be_lost_can_be_chosen(data: Dataset) -> None:
    for max_drop, passed in ((1.9, False), (2.1, True)):
        found = row("int8", answers(data.labels, 120), data, max_drop=max_drop)
        assert (found.failures == ()) is passed
        assert found.verdict == (f"passed, may lose {max_drop:g}" if passed else "FAILED")


def test_where_more_may_be_lost_more_may_differ(data: Dataset) -> None:
    other = answers(data.labels, 300)  # 20 points less accurate
    assert row("int8", other, data, max_drop=25).failures == ()
    assert row("int8", answers(data.labels, 1000), data, max_drop=25).failures[-1] == (
        "labels: agrees on 10.00% of the images; at least 41.00%"
    )
    assert row("int8", other, unlabelled(data), max_drop=25).failures


@pytest.mark.parametrize(("max_drop", "agreement"), [(0, 0.9), (0.5, 0.9), (25, 0.41), (60, 0.0)])
def test_no_drop_asks_for_more_agreement_than_usual_or_for_less_than_none(max_drop: float, agreement: float) -> None:
    asked = TOLERANCES["int8"].with_drop(max_drop)
    assert asked.drop == max_drop
    assert asked.agreement == pytest.approx(agreement, abs=1e-12)


@pytest.mark.parametrize("max_drop", [None, 0.1, 0.5])
def test_what_may_lose_no_more_than_usual_is_just_passed(max_drop: float | None, data: Dataset) -> None:
    assert row("int8", answers(data.labels, 100), data, max_drop=max_drop).verdict == "passed"


def test_only_classes_that_lost_are_the_worst(data: Dataset) -> None:
    exported = answers(data.labels, 100)
    exported[100::CLASSES] = np.roll(exported[100::CLASSES], 1, axis=1)
    assert row("int8", exported, data).worst_classes == {"a": 90.0}
    assert row("int8", answers(data.labels), data).worst_classes == {}


def test_the_interface_comes_first(data: Dataset) -> None:
    good = expected_signature(Contract("m", "onnx", "int8", data.label_names, InputSpec(2, 2)))
    names = [each.name for each in row("int8", answers(data.labels, 100), data).checks]
    assert names == ["names", "shapes", "values", "accuracy", "labels"]
    for wrong, check in (
        (good._replace(input=good.input._replace(name="image")), "names"),
        (good._replace(output=good.output._replace(type="int8")), "names"),
        (good._replace(input=good.input._replace(shape=(3, 2, 2))), "shapes"),
    ):
        checks = row("int8", answers(data.labels, 100), data, wrong).checks
        assert [each.name for each in checks if not each.passed] == [check]


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


def first(data: Dataset, count: int) -> Dataset:
    return Dataset("few", data.images[:count], data.labels[:count], data.label_names)


@pytest.mark.parametrize("precision", ["int8", "fp16", "dynamic", "int16x8"])
def test_another_model_as_accurate_is_refused(data: Dataset, precision: str) -> None:
    other = np.roll(answers(np.roll(data.labels, 500), 100), 500, axis=0)  # wrong on 100 images, too, but on others
    compared = row(precision, other, data)
    assert (compared.change, compared.agreement) == (0.0, 0.8)
    (failure,) = compared.failures
    assert failure == "labels: agrees on 80.00% of the images; at least 90.00%"


@pytest.mark.parametrize("known", [0, 4])
def test_a_rare_class_may_not_be_lost(known: int) -> None:
    """Its images are too few for the accuracy, or for agreement over all, to show it."""
    labels = np.repeat([0, 1], [94, 6])
    images = np.zeros((100, 2, 2, 3), np.uint8)
    data = Dataset("mostly a", images, labels, ("a", "b", "c", "d"))
    contract = Contract("m", "onnx", "int8", data.label_names, InputSpec(2, 2))
    exported = answers(np.where(np.arange(100) < 94 + known, labels, 0))
    given = Scores("x 1", exported, 0.1, expected_signature(contract))
    failures = compare("m.onnx", contract, 1, given, answers(labels), data, max_drop=10).failures
    told = "labels: agrees on 0 of 6 images that the Keras model takes for another thing than 'a'; at least 71.00%"
    assert failures == (() if known else (told,))


def test_a_file_that_always_answers_the_same_is_refused_on_few_images(data: Dataset) -> None:
    few = first(data, 8)
    contract = Contract("m", "onnx", "int8", data.label_names, InputSpec(2, 2))
    right = answers(few.labels)

    def failures(exported: npt.NDArray[np.float32]) -> list[str]:
        given = Scores("x 1", exported, 0.1, expected_signature(contract))
        return [each.name for each in compare("m.onnx", contract, 1, given, right, few).checks if not each.passed]

    assert failures(answers(np.zeros(8, np.int64))) == ["accuracy", "labels"]
    assert failures(answers(few.labels, 2)) == []  # two coin-flips
    two = np.where(np.arange(8) < 4, few.labels, 0)
    assert "labels" in failures(answers(two))


def test_numbers_that_are_none_are_refused(data: Dataset) -> None:
    exported = answers(data.labels, 100)
    exported[3] = np.nan
    for precision in ("fp32", "int8"):
        compared = row(precision, exported, data)
        assert "not numbers" in " ".join(compared.failures)
        assert json.loads(json.dumps(compared.as_dict(), allow_nan=False))["difference"] is None


def test_a_reference_near_chance_is_refused(data: Dataset) -> None:
    assert require_skill(answers(data.labels, 100), data) == pytest.approx(0.9)
    with pytest.raises(ParityError, match="proves nothing"):
        require_skill(answers(data.labels, 700), data)
    one_label = np.tile(np.array([0.7, 0.1, 0.1, 0.1], np.float32), (COUNT, 1))
    with pytest.raises(ParityError, match=r"25\.0%"):
        require_skill(one_label, data)


def test_chance_is_the_share_of_the_commonest_label(data: Dataset) -> None:
    mostly = Dataset("mostly a", data.images, np.where(np.arange(COUNT) < 900, 0, data.labels), data.label_names)
    with pytest.raises(ParityError, match=r"92\.5% of mostly a right, .* gets 92\.5%; .* proves nothing below 93\.4%"):
        require_skill(answers(np.zeros(COUNT, np.int64)), mostly)


def test_an_eighth_of_the_way_from_chance_is_skill(data: Dataset) -> None:
    with pytest.raises(ParityError, match=r"only 33\.0% of made-up right, .* proves nothing below 34\.4%"):
        require_skill(answers(data.labels, 670), data)
    assert require_skill(answers(data.labels, 650), data) == pytest.approx(0.35)


def test_images_of_one_class_prove_nothing(data: Dataset) -> None:
    one = Dataset("all of a kind", data.images, np.zeros(COUNT, np.int64), data.label_names)
    with pytest.raises(ParityError, match=r"all of a kind is all of one class; .* take images of several"):
        require_skill(answers(one.labels), one)


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
        assert failed.failures == ("labels: agrees on 89.90% of the images; at least 90.00%",)
    assert row("fp32", answers(data.labels, 101), unlabelled(data)).failures


@pytest.mark.parametrize(
    ("precision", "passing", "failing", "told"),
    [
        ("fp16", 105, 115, "98.50% of the images; at least 99.00%"),
        ("int16x8", 115, 125, "97.50% of the images; at least 98.00%"),
    ],
)
def test_without_labels_sixteen_bits_must_agree_more(
    precision: str, passing: int, failing: int, told: str, data: Dataset
) -> None:
    assert row(precision, answers(data.labels, passing), unlabelled(data)).failures == ()
    assert row(precision, answers(data.labels, failing), unlabelled(data)).failures == (f"labels: agrees on {told}",)


def test_without_labels_answers_must_vary(data: Dataset) -> None:
    assert require_skill(answers(data.labels), unlabelled(data)) is None
    one_label = answers(np.where(np.arange(COUNT) < 501, 2, data.labels))
    with pytest.raises(ParityError, match=r"answers 'c' to 6\d% of my pictures; agreement with it proves nothing"):
        require_skill(one_label, unlabelled(data))


def test_without_labels_half_of_the_answers_may_be_the_same(data: Dataset) -> None:
    others = np.arange(COUNT) % 3
    assert require_skill(answers(np.where(np.arange(COUNT) < 500, 3, others)), unlabelled(data)) is None
    with pytest.raises(ParityError, match="answers 'd' to 51% of my pictures"):
        require_skill(answers(np.where(np.arange(COUNT) < 510, 3, others)), unlabelled(data))


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
