"""The figures: what is drawn, not how it looks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text
from PIL import Image

from edgecnn import plots
from edgecnn.tradeoffs import Choice
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.benchmark import Case, Cost
from edgecnn_runtime.contract import Contract, InputSpec

HISTORY = [
    {"epoch": 1.0, "loss": 2.0, "accuracy": 0.25, "validation_loss": 1.9, "validation_accuracy": 0.3},
    {"epoch": 2.0, "loss": 1.5, "accuracy": 0.45, "validation_loss": 1.7, "validation_accuracy": 0.4},
    {"epoch": 3.0, "loss": 1.2, "accuracy": 0.55, "validation_loss": 1.6, "validation_accuracy": 0.45},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "figure.png"


@pytest.fixture
def data() -> Dataset:
    """Thirty pictures of three things, of one colour each."""
    images = np.arange(30, dtype=np.uint8)[:, None, None, None] * np.full((1, 4, 4, 3), 8, np.uint8)
    return Dataset("pictures", images, np.arange(30) % 3, ("cat", "dog", "cow"))


def scores(guesses: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
    """Four parts in five for each guess."""
    return (0.1 + 0.7 * np.eye(3)[guesses]).astype(np.float32)


def pixels(path: Path) -> set[str]:
    with Image.open(path) as picture:
        colours = np.unique(np.asarray(picture.convert("RGB")).reshape(-1, 3), axis=0)
    return {"#{:02X}{:02X}{:02X}".format(*colour) for colour in colours}


def shown(axis: Axes) -> npt.NDArray[np.float64]:
    """The one picture in a place."""
    (picture,) = axis.get_images()
    return np.asarray(picture.get_array(), np.float64)


def test_curves(path: Path) -> None:
    figure = plots.curves(path, HISTORY, watched="validation")
    loss, accuracy = figure.axes
    drawn = {
        (axis.get_title(), line.get_label()): np.asarray(line.get_xydata()).tolist()
        for axis in (loss, accuracy)
        for line in axis.get_lines()
    }
    assert drawn == {
        ("Loss", "training"): [[1, 2.0], [2, 1.5], [3, 1.2]],
        ("Loss", "validation"): [[1, 1.9], [2, 1.7], [3, 1.6]],
        ("Accuracy", "training"): pytest.approx(np.array([[1, 25], [2, 45], [3, 55]])),
        ("Accuracy", "validation"): pytest.approx(np.array([[1, 30], [2, 40], [3, 45]])),
    }
    assert [axis.get_xlabel() for axis in figure.axes] == ["Epoch", "Epoch"]
    assert [axis.get_ylabel() for axis in figure.axes] == ["Loss", "Accuracy (%)"]
    assert {plots.BLUE, plots.ORANGE} < pixels(path)
    for axis in figure.axes:
        assert all(tick == int(tick) for tick in axis.get_xticks())
        legend = axis.get_legend()
        assert legend is not None
        assert [text.get_text() for text in legend.get_texts()] == ["training", "validation"]


def test_curves_of_one_epoch_and_nothing_watched(path: Path) -> None:
    figure = plots.curves(path, [{"epoch": 1.0, "loss": 2.0, "accuracy": 0.2}], watched="validation")
    assert [[line.get_label() for line in axis.get_lines()] for axis in figure.axes] == [["training"]] * 2
    assert plots.ORANGE not in pixels(path)


def test_predictions(path: Path, data: Dataset) -> None:
    guesses = data.labels.copy()
    guesses[[2, 7]] = 0
    figure = plots.predictions(path, data, scores(guesses))
    assert len(figure.axes) == 25
    titles = [(axis.get_title(), axis.title.get_color()) for axis in figure.axes]
    assert titles[:3] == [("cat 80%", "black"), ("dog 80%", "black"), ("cat 80%\nis cow", plots.RED)]
    assert [index for index, (_, colour) in enumerate(titles) if colour == plots.RED] == [2, 7]
    for axis, image in zip(figure.axes, data.images, strict=False):
        np.testing.assert_array_equal(shown(axis), image)
    assert plots.RED in pixels(path)


def test_fewer_predictions_than_places(path: Path, data: Dataset) -> None:
    few = data.subset("few", np.arange(2))
    figure = plots.predictions(path, few, scores(few.labels))
    assert [len(axis.get_images()) for axis in figure.axes] == [1, 1] + [0] * 23
    assert not any(axis.axison for axis in figure.axes), "an empty place stays empty"


def test_confusion(path: Path, data: Dataset) -> None:
    guesses = data.labels.copy()
    guesses[data.labels == 1] = np.array([0, 0, 0, 0, 0, 0, 2, 2, 2, 1])
    figure = plots.confusion(path, data, scores(guesses))
    axis = figure.axes[0]
    np.testing.assert_allclose(shown(axis), [[100, 0, 0], [60, 10, 30], [0, 0, 100]])
    numbers = {(text.get_position()[1], text.get_position()[0]): text.get_text() for text in axis.texts}
    assert numbers == {(0, 0): "100", (1, 0): "60", (1, 1): "10", (1, 2): "30", (2, 2): "100"}
    assert [text.get_color() for text in axis.texts] == ["white", "white", "black", "black", "white"]
    assert [label.get_text() for label in axis.get_yticklabels()] == list(data.label_names)
    assert [label.get_text() for label in axis.get_xticklabels()] == list(data.label_names)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("Predicted label", "True label")


def test_confusion_shows_the_classes_that_occur(path: Path, data: Dataset) -> None:
    two = data.subset("two", np.flatnonzero(data.labels != 1))
    figure = plots.confusion(path, two, scores(two.labels))
    np.testing.assert_allclose(shown(figure.axes[0]), [[100, 0], [0, 100]])
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["cat", "cow"]
    guesses = two.labels.copy()
    guesses[0] = 1  # a class without images, but given
    figure = plots.confusion(path, two, scores(guesses))
    np.testing.assert_allclose(shown(figure.axes[0]), [[90, 10, 0], [0, 0, 0], [0, 0, 100]])


def test_confusion_of_many_classes(path: Path) -> None:
    labels = np.arange(120)
    data = Dataset("many", np.zeros((120, 1, 1, 3), np.uint8), labels, tuple(f"${each}$" for each in labels))
    plots.confusion(path, data, np.eye(120, dtype=np.float32))
    with Image.open(path) as picture:
        assert picture.size == (3600, 3480)


def test_mistakes(path: Path, data: Dataset) -> None:
    probabilities = scores(data.labels)
    probabilities[4] = [0.6, 0.4, 0]  # a dog
    probabilities[8] = [0.9, 0, 0.1]  # a cow
    figure = plots.mistakes(path, data, probabilities)
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["cat 90%\nis cow", "cat 60%\nis dog", *[""] * 23]
    np.testing.assert_array_equal(shown(figure.axes[0]), data.images[8])
    np.testing.assert_array_equal(shown(figure.axes[1]), data.images[4])
    assert figure.get_suptitle() == "2 of 30 wrong, the worst first"


def test_no_mistakes(path: Path, data: Dataset) -> None:
    figure = plots.mistakes(path, data, scores(data.labels))
    assert not any(axis.get_images() for axis in figure.axes)
    assert figure.get_suptitle() == "0 of 30 wrong, the worst first"


def test_long_labels_and_dollar_signs(path: Path, data: Dataset) -> None:
    names = ("$black$-footed_ferret", "dog", "cow")
    figure = plots.predictions(path, Dataset("named", data.images, data.labels, names), scores(data.labels))
    assert figure.axes[0].get_title() == r"\$black\$-footed_… 80%"


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
