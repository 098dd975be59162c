"""Trade-offs of accuracy, latency and size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text

from edgecnn import plots
from edgecnn.tradeoffs import Choice
from edgecnn_runtime.benchmark import Case, Cost
from edgecnn_runtime.contract import Contract, InputSpec
from tests.edgecnn.plots.figures import pixels


def choices(*points: tuple[str, str, int, float, float | None]) -> list[Choice]:
    """Files in interpreters: file, interpreter, bytes, milliseconds, accuracy."""
    contract = Contract("a", "tflite", "int8", ("a", "b"), InputSpec(4, 4))
    return [
        Choice(Cost(Case(Path(file), contract, size, backend, 1), backend, 100, 1, latency, latency, 1, 1), accuracy)
        for file, backend, size, latency, accuracy in points
    ]


def areas(axis: Axes) -> dict[tuple[float, float], float]:
    """Place and area of each marker."""
    found = {}
    for markers in axis.collections:
        ((x, y),) = np.asarray(markers.get_offsets(), float).tolist()
        found[round(x, 6), round(y, 6)] = float(np.asarray(markers.get_sizes())[0])  # type: ignore[attr-defined]
    return found


def test_tradeoffs(path: Path) -> None:
    figure = plots.tradeoffs(
        path,
        choices(
            ("small.tflite", "litert 2", 100_000, 1.0, 0.6),
            ("large.tflite", "litert 2", 400_000, 4.0, 0.9),
            ("small.tflite", "tflite-runtime 2", 100_000, 2.0, 0.6),
            ("$other$.onnx", "onnxruntime 1", 200_000, 8.0, 0.8),
        ),
    )
    (axis,) = figure.axes
    found = areas(axis)
    assert found.keys() == {(1, 60), (2, 60), (4, 90), (8, 80)}
    assert found[1, 60] == found[2, 60] < found[8, 80] < found[4, 90]
    assert np.asarray(axis.get_lines()[0].get_xydata()).tolist() == [[1, 60], [4, 90]], "the Pareto front"
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "linear")
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("Median latency of one image (ms)", "Accuracy (%)")
    assert axis.get_title() == "Areas: sizes, the largest 400 kB"
    legend = axis.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "best trade-offs",
        "1 small, litert 2, 1 thread",
        "2 small, tflite-runtime 2, 1 thread",
        "3 large, litert 2, 1 thread",
        r"4 \$other\$, onnxruntime 1, 1 thread",
    ]
    assert [(text.get_text(), text.xy) for text in axis.texts if isinstance(text, Annotation)] == [
        ("1", (1, 60)),
        ("2", (2, 60)),
        ("3", (4, 90)),
        ("4", (8, 80)),
    ]
    assert len(pixels(path)) > 100


def test_numbers_of_tradeoffs_do_not_lie_on_each_other(path: Path) -> None:
    near = [(f"{each}.tflite", "litert 2", 1000, 1 + each / 1000, 0.5) for each in range(5)]
    (axis,) = plots.tradeoffs(path, choices(*near, ("far.tflite", "litert 2", 1000, 9.0, 0.6))).axes
    boxes = [Text.get_window_extent(text) for text in axis.texts]  # without the lines to the markers
    assert len(boxes) == 6
    assert not any(a.overlaps(b) for index, a in enumerate(boxes) for b in boxes[:index])


def test_tradeoffs_without_accuracy(path: Path) -> None:
    (axis,) = plots.tradeoffs(
        path,
        choices(("a.tflite", "litert 2", 900_000, 1.0, None), ("b.tflite", "litert 2", 300_000, 2.0, None)),
    ).axes
    assert areas(axis).keys() == {(1, 900), (2, 300)}
    assert len(set(areas(axis).values())) == 1
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert (axis.get_ylabel(), axis.get_title()) == ("Size (kB)", "")
