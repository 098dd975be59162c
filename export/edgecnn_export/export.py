"""From a Keras file to exported files: convert, reload, compare, embed the proof, and only then name the file."""

from __future__ import annotations

import base64
import platform
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn_export import artifact, c_source, keras_file
from edgecnn_export.dataset import Dataset
from edgecnn_export.parity import Probabilities, Row, compare, reference_scores, require_skill
from edgecnn_export.placing import place, remove
from edgecnn_export.scoring import Scores, score_everywhere
from edgecnn_runtime import sheet
from edgecnn_runtime.contract import Contract, Golden
from edgecnn_runtime.errors import ExportError, ParityError, UsageError

if TYPE_CHECKING:
    import keras

FORMATS = ("tflite", "onnx")
PRECISIONS = ("fp32", "fp16", "dynamic", "int8")

ONLY = {"c": "int8", "savedmodel": "fp32", "keras": "fp32"}
"""Formats that the runtime does not run, with the one precision of each. C is made of the int8 TFLite file."""

_SOURCE_OF_C = ("tflite", "int8")

GOLDEN_IMAGES = 16
GOLDEN_IMAGES_LARGE = 4
_LARGE = 64 * 64

_TOOLS = (
    "edgecnn",
    "keras",
    "tensorflow",
    "tf2onnx",
    "onnx",
    "onnxruntime",
    "ai-edge-litert",
    "tflite-runtime",
)


def export(
    source: Path,
    formats: Iterable[str],
    precisions: Iterable[str],
    out: Path,
    calibration: Dataset,
    evaluation: Dataset,
    report: Callable[[Path, list[Row]], None],
) -> None:
    """Export the model in the ``.keras`` file ``source``, which edgecnn wrote, as :func:`export_model`.

    Raises:
        ExportError: as there; or the file cannot be read.
    """
    export_model(*keras_file.load(source), formats, precisions, out, calibration, evaluation, report)


def export_model(
    model: keras.Model,
    about: keras_file.About,
    formats: Iterable[str],
    precisions: Iterable[str],
    out: Path,
    calibration: Dataset,
    evaluation: Dataset,
    report: Callable[[Path, list[Row]], None],
) -> None:
    """Export a model as ``out/NAME-PRECISION.FORMAT`` for every format and precision.

    A file that is outside its tolerance in any installed interpreter is not written, nor is one that could not be
    compared; the others are.

    Args:
        model: takes pixels 0..255, gives probabilities.
        about: what it is.
        formats: of :data:`FORMATS` and :data:`ONLY`; with ``c``, the TFLite file is written too.
        precisions: of :data:`PRECISIONS`; if there is none, fp32, and int8 for ``c``.
        out: folder of the files; made if need be.
        calibration: training images that set the int8 ranges.
        evaluation: images to compare on, none of them in ``calibration``. Where their labels are not known, the proof
            is agreement with the Keras model, and no accuracy is claimed.
        report: called with each finished or refused file and its comparison; C sources have none of their own.

    Raises:
        UsageError: a format or a precision is not known, or the format is not written in this precision.
        ExportError: the model cannot be converted, or the folder cannot be written.
        ParityError: the model is too weak to compare with, or a file was refused; the message names them.
    """
    wanted, in_c = _wanted(list(formats), list(precisions))
    _check_data(about, calibration, evaluation)
    reference = reference_scores(model, evaluation)
    reference_accuracy = require_skill(reference, evaluation)
    common = Contract(
        model=about.name,
        format="",
        precision="",
        labels=about.labels,
        input=about.input,
        training=about.training,
        tools=_tool_versions(),
    )
    refused = []
    with _writable(out):
        for form, precision in wanted:
            target = out / f"{about.name}-{precision}.{form}"
            payload: artifact.Artifact
            if form in FORMATS:
                payload = _convert(model, form, precision, calibration)
            else:
                payload = artifact.convert(model, about, form)
            contract = replace(common, format=form, precision=precision)
            if precision == "int8":
                contract = replace(
                    contract,
                    calibration={
                        "data": calibration.name,
                        "images": len(calibration),
                        "fingerprint": calibration.fingerprint,
                    },
                )
            rows = _prove(target, payload, contract, reference, reference_accuracy, evaluation)
            report(target, rows)
            failures = [f"{target.name} {failure} ({row.backend})" for row in rows for failure in row.failures]
            refused += failures
            if in_c and not failures and (form, precision) == _SOURCE_OF_C:
                for written in c_source.write(target):
                    report(written, [])
    if refused:
        raise ParityError(f"refused: {'; '.join(refused)}")


def _wanted(formats: list[str], precisions: list[str]) -> tuple[list[tuple[str, str]], bool]:
    """The files to prove, by format and precision, and whether one of them is wanted in C too."""
    pairs = [(form, precision) for form in formats for precision in precisions or [ONLY.get(form, PRECISIONS[0])]]
    for form, precision in pairs:
        if form not in (*FORMATS, *ONLY) or precision not in PRECISIONS:
            raise UsageError(
                f"{precision} {form} is not known; formats: {', '.join((*FORMATS, *ONLY))}; "
                f"precisions: {', '.join(PRECISIONS)}"
            )
        if precision != ONLY.get(form, precision):
            raise UsageError(f"{form} is written in {ONLY[form]} only, not in {precision}; ask for it by itself")
    return list(dict.fromkeys(_SOURCE_OF_C if pair[0] == "c" else pair for pair in pairs)), "c" in formats


def _prove(
    target: Path,
    payload: artifact.Artifact,
    contract: Contract,
    reference: Probabilities,
    reference_accuracy: float | None,
    evaluation: Dataset,
) -> list[Row]:
    """Put the file in its place if every installed interpreter gives the model's answers with it."""
    # The name ends as it will, for Keras goes by that.
    temporary = target.with_name(f".tmp.{target.name}")
    try:
        artifact.write(temporary, payload, contract)
        scores = score_everywhere(temporary, contract.format, evaluation.images)
        rows = [
            compare(
                target.name, contract.format, contract.precision, artifact.size(payload), each, reference, evaluation
            )
            for each in scores
        ]
        if not any(row.failures for row in rows):
            proved = replace(
                contract,
                parity={
                    "data": evaluation.name,
                    "images": len(evaluation),
                    "fingerprint": evaluation.fingerprint,
                    "reference_accuracy": reference_accuracy,
                    "results": [row.as_dict() for row in rows],
                },
                golden=_golden(evaluation, reference, scores[0]),
            )
            artifact.write(temporary, payload, proved)
            place([(temporary, target)])
        return rows
    finally:
        remove(temporary)


def _golden(data: Dataset, reference: Probabilities, scores: Scores) -> Golden:
    _, height, width, _ = data.images.shape
    most = GOLDEN_IMAGES if height * width <= _LARGE else GOLDEN_IMAGES_LARGE
    chosen = np.linspace(0, len(data) - 1, min(most, len(data))).astype(int)

    def rows(probabilities: Probabilities) -> tuple[tuple[float, ...], ...]:
        return tuple(tuple(round(float(p), 7) for p in row) for row in probabilities[chosen])

    images = base64.b64encode(sheet.pack(data.images[chosen])).decode()
    return Golden(len(chosen), images, rows(reference), rows(scores.probabilities))


def _convert(model: keras.Model, form: str, precision: str, calibration: Dataset) -> bytes:
    if form == "tflite":
        from edgecnn_export.tflite import convert
    else:
        from edgecnn_export.onnx import convert
    return convert(model, precision, calibration.images)


def _check_data(about: keras_file.About, calibration: Dataset, evaluation: Dataset) -> None:
    shape = (about.input.height, about.input.width, 3)
    for data in (calibration, evaluation):
        if data.images.shape[1:] != shape:
            raise ExportError(f"the images of {data.name} are {data.images.shape[1:]}, but {about.name} takes {shape}")
    if evaluation.label_names != about.labels:
        raise ExportError(f"the labels of {evaluation.name} are not those of {about.name}")
    if calibration.fingerprint == evaluation.fingerprint:
        raise ExportError("the calibration and the evaluation images are the same; calibrate on training images")


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as problem:
        raise ExportError(f"{problem.filename or folder} cannot be written ({problem.strerror})") from None


def _tool_versions() -> dict[str, Any]:
    versions = {"python": platform.python_version()}
    for tool in _TOOLS:
        try:
            versions[tool] = metadata.version(tool)
        except metadata.PackageNotFoundError:
            continue
    return versions
