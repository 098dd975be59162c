"""``edgecnn evaluate``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from edgecnn.cli.figures import require_matplotlib
from edgecnn_runtime.errors import DataError, UsageError

if TYPE_CHECKING:
    from edgecnn.metrics import Metrics
    from edgecnn_export.dataset import Dataset
    from edgecnn_runtime.contract import InputSpec


def evaluate(
    file: Annotated[Path, typer.Argument(help="A .tflite or .onnx file, or a .keras file or the folder of its run.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of photographs, a CSV, or data folder of CIFAR-10.", show_default="CIFAR-10"),
    ] = None,
    part: Annotated[
        Literal["test", "validation", "train", "all"],
        typer.Option(help="Which images; with all, a class may have any number of them."),
    ] = "test",
    out: Annotated[Path | None, typer.Option(help="Folder for confusion.png and mistakes.png.")] = None,
    backend: Annotated[str | None, typer.Option(help="litert, tflite-runtime or onnxruntime.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure how often a model is right, as a whole and by class.

    That is its accuracy with the 95 % interval, and the precision and recall of each class. Photographs are divided as
    in training, and the test part is what the model has never seen. Without --data the test images of CIFAR-10 are
    taken, or the 1,000 of them that come with edgecnn.

    Example: edgecnn evaluate flowers-int8.tflite --data photos/ --out report
    """
    from edgecnn import metrics
    from edgecnn.cli.console import decoding, json_text, say
    from edgecnn.data import source

    if out:
        require_matplotlib("--out")
        if out.exists() and not out.is_dir():
            raise UsageError(f"--out {out} is a file; name a folder for the pictures")
    labels, spec, score = _open(file, backend)
    images = source.part_of(source.find(data, spec, labels, say, decoding), part)
    probabilities = score(images)
    metrics.require_numbers(probabilities, str(file))
    measured = metrics.measure(images.labels, probabilities)
    if as_json:
        print(json_text(_document(file, images, measured), 2))
    else:
        _show(file, images, measured)
    if out:
        _draw(out, images, probabilities)


def _open(file: Path, backend: str | None) -> tuple[tuple[str, ...], InputSpec, Callable[[Dataset], Any]]:
    """A model's labels, its input, and its probabilities for images; TensorFlow is loaded for Keras files alone."""
    if file.is_dir() or file.suffix == ".keras":
        if backend:
            raise UsageError(f"--backend goes with a .tflite or .onnx file; {file} is Keras's")
        from edgecnn_export import keras_file

        path = keras_file.locate(file)
        about = keras_file.read_about(path)

        def score(images: Dataset) -> Any:
            from edgecnn.training import keras_backend
            from edgecnn_export.reference import reference_scores

            keras_backend.exact(keras_backend.choose())
            return reference_scores(keras_file.load(path)[0], images)

        return about.labels, about.input, score
    from edgecnn_runtime import Classifier

    classifier = Classifier.open(file, backend)
    contract = classifier.contract
    return contract.labels, contract.input, lambda images: classifier.backend.scores(images.images)


def _show(file: Path, images: Dataset, measured: Metrics) -> None:
    from edgecnn.cli.console import tell
    from edgecnn.cli.tables import show

    low, high = measured.interval
    tell(
        f"{file}: accuracy {measured.accuracy:.2%} (95 %: {low:.2%} to {high:.2%}), {measured.right:,} of "
        f"{len(images):,} images of {images.name}; mean recall {measured.balanced_accuracy:.2%}"
    )
    show(
        ("class", "precision", "recall", "F1", "images"),
        (
            (
                each.label,
                *("-" if share is None else f"{share:.1%}" for share in (each.precision, each.recall, each.f1)),
                f"{each.images:,}",
            )
            for each in measured.by_class(images.label_names)
        ),
        text_columns=1,
    )


def _document(file: Path, images: Dataset, measured: Metrics) -> dict[str, Any]:
    return {
        "model": str(file),
        "data": images.name,
        "images": len(images),
        "fingerprint": images.fingerprint,
        "accuracy": measured.accuracy,
        "interval": measured.interval,
        "balanced_accuracy": measured.balanced_accuracy,
        "classes": {each.pop("label"): each for each in map(asdict, measured.by_class(images.label_names))},
    }


def _draw(folder: Path, images: Dataset, probabilities: Any) -> None:
    from edgecnn import plots
    from edgecnn.cli.console import say

    try:
        folder.mkdir(parents=True, exist_ok=True)
        plots.confusion(folder / "confusion.png", images, probabilities)
        plots.mistakes(folder / "mistakes.png", images, probabilities)
    except OSError as problem:
        raise DataError(f"{folder} cannot be written ({problem.strerror}); choose another --out") from None
    say(f"saved {folder}/confusion.png and {folder}/mistakes.png")
