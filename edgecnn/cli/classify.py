"""``edgecnn classify``: name what is in pictures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn.cli.console import printable, say
from edgecnn_runtime.errors import ImageError

if TYPE_CHECKING:
    from edgecnn_runtime import Classifier, Prediction

LABEL_WIDTH = 40


def classify(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Pictures: JPEG, PNG, WebP and others.")],
    model: Annotated[
        Path | None, typer.Option(help="A .tflite or .onnx file; without it, the model that edgecnn carries.")
    ] = None,
    top: Annotated[int, typer.Option(min=1, help="How many classes to show.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    backend: Annotated[str | None, typer.Option(help="litert, tflite-runtime or onnxruntime.")] = None,
) -> None:
    """Name what is in pictures.

    Example: edgecnn classify cam.jpg --model models/deeper-int8.tflite --top 1
    """
    classifier = _open(model, backend)
    width = min(LABEL_WIDTH, max(map(len, classifier.contract.labels)))
    failed = False
    for image in images:
        try:
            predictions = classifier.classify(image, top)
        except ImageError as problem:
            say(f"error: {problem}")
            failed = True
            continue
        print(_json(image, predictions) if as_json else _table(image, predictions, width))
    if failed:
        raise typer.Exit(1)


def _open(model: Path | None, backend: str | None) -> Classifier:
    # Imported here, so that `edgecnn --help` does not wait for numpy.
    from edgecnn.models import default_model
    from edgecnn_runtime import Classifier

    return Classifier.open(model or default_model(backend), backend)


def _table(image: str, predictions: list[Prediction], width: int) -> str:
    rows = [f"  {printable(each.label):{width}}  {each.score:6.1%}" for each in predictions]
    return "\n".join([printable(image), *rows])


def _json(image: str, predictions: list[Prediction]) -> str:
    answers = [{"label": each.label, "index": each.index, "score": each.score} for each in predictions]
    return json.dumps({"file": image, "predictions": answers})
