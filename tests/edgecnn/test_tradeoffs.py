from __future__ import annotations

from pathlib import Path

import pytest

from edgecnn.tradeoffs import Choice, best, fastest, slower_in_int8
from edgecnn_runtime.benchmark import Case, Cost
from edgecnn_runtime.contract import Contract, InputSpec


def choice(
    name: str,
    latency: float,
    accuracy: float | None = None,
    *,
    size: int = 1000,
    backend: str = "litert 2",
    threads: int = 1,
) -> Choice:
    """A file ``MODEL-PRECISION.FORMAT`` of that size and median latency."""
    stem, _, form = name.partition(".")
    model, _, precision = stem.partition("-")
    contract = Contract(model, form, precision, ("a", "b"), InputSpec(4, 4))
    case = Case(Path(name), contract, size, backend.partition(" ")[0], threads)
    return Choice(Cost(case, backend, 100, 1, latency, latency, 1000 / latency, 50_000_000), accuracy)


def names(choices: list[Choice]) -> list[str]:
    return [str(each.cost.case.file) for each in choices]


def test_the_best_are_those_that_none_beats_in_both() -> None:
    choices = [
        choice("slow-good.tflite", 5, 0.9),
        choice("slow-bad.tflite", 5, 0.5),
        choice("fast-bad.tflite", 1, 0.6),
        choice("middle-worse.tflite", 2, 0.55),
        choice("middle-better.tflite", 2, 0.8),
        choice("slower-equal.tflite", 3, 0.8),
        choice("slowest-good.tflite", 9, 0.9),
    ]
    assert names(best(choices)) == ["fast-bad.tflite", "middle-better.tflite", "slow-good.tflite"]
    assert names(best(choices[::-1])) == names(best(choices))
    assert best([]) == []


def test_without_accuracy_the_size_counts() -> None:
    choices = [
        choice("a-fp32.onnx", 1, size=900),
        choice("b-int8.onnx", 2, size=300),
        choice("c-fp16.onnx", 3, size=500),
    ]
    assert names(best(choices)) == ["a-fp32.onnx", "b-int8.onnx"]


def test_the_fastest_number_of_threads() -> None:
    one, two = (choice("a-fp32.tflite", latency, threads=count) for latency, count in ((2, 1), (1, 2)))
    other = choice("a-fp32.tflite", 3, backend="tflite-runtime 2.14")
    assert fastest([one, two, other]) == [two, other]


def test_int8_that_is_slower_than_float() -> None:
    slow = [
        choice("a-fp32.tflite", 2.0, threads=1),
        choice("a-fp32.tflite", 1.0, threads=2),
        choice("a-fp16.tflite", 3.0),
        choice("a-int8.tflite", 1.2, threads=1),
        choice("a-int8.tflite", 1.1, threads=2),
    ]
    assert slower_in_int8(slow) == [(slow[4], slow[1])]
    # Faster, or so near that it may be chance; in another interpreter; of another model; not float.
    for others in (
        [choice("a-fp32.tflite", 1.0), choice("a-int8.tflite", 0.9)],
        [choice("a-fp32.tflite", 1.0), choice("a-int8.tflite", 1.04)],
        [choice("a-fp32.tflite", 1.0), choice("a-int8.tflite", 2.0, backend="tflite-runtime 2.14")],
        [choice("a-fp32.tflite", 1.0), choice("b-int8.tflite", 2.0)],
        [choice("a-dynamic.tflite", 1.0), choice("a-int8.tflite", 2.0)],
    ):
        assert slower_in_int8(others) == []


@pytest.mark.parametrize(("accuracy", "regret"), [(None, 1000), (0.75, 0.25)])
def test_what_is_to_be_small(accuracy: float | None, regret: float) -> None:
    assert choice("a-int8.tflite", 1, accuracy).regret == regret
