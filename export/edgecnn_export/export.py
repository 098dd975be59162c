"""From a Keras file to exported files: convert, reload, compare, embed the proof, and only then name the file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from edgecnn_export import keras_file
from edgecnn_export.alone import alone
from edgecnn_export.calibration import FEWEST
from edgecnn_export.dataset import Dataset
from edgecnn_export.exporter import CALIBRATED, SOURCE_OF_C, Exporter
from edgecnn_export.options import Listener, Options
from edgecnn_export.proof import Reference
from edgecnn_export.reference import reference_scores, require_skill
from edgecnn_runtime.errors import ExportError, ParityError, UsageError

if TYPE_CHECKING:
    import keras

FORMATS = ("tflite", "onnx")
PRECISIONS = ("fp32", "fp16", "dynamic", "int8", "int16x8")

CASES = [(form, precision) for form in FORMATS for precision in PRECISIONS if (form, precision) != ("onnx", "int16x8")]
"""Every format in each of its precisions: 16-bit values are TFLite's alone."""

ONLY = {"c": "int8", "savedmodel": "fp32", "keras": "fp32"}
"""Formats that the runtime does not run, with the one precision of each. C is made of the int8 TFLite file."""


def export(
    source: Path,
    formats: Iterable[str],
    precisions: Iterable[str],
    out: Path,
    calibration: Dataset | None,
    evaluation: Dataset,
    options: Options | None = None,
    listener: Listener | None = None,
) -> None:
    """Export the model in the ``.keras`` file ``source``, which edgecnn wrote, as :func:`export_model`.

    Raises:
        ExportError: as there; or the file cannot be read.
    """
    export_model(*keras_file.load(source), formats, precisions, out, calibration, evaluation, options, listener)


def export_model(
    model: keras.Model,
    about: keras_file.About,
    formats: Iterable[str],
    precisions: Iterable[str],
    out: Path,
    calibration: Dataset | None,
    evaluation: Dataset,
    options: Options | None = None,
    listener: Listener | None = None,
) -> None:
    """Export a model as ``out/NAME-PRECISION.FORMAT`` for every format and precision.

    A file that is outside its tolerance in any installed interpreter is kept aside, as ``*.rejected``, and one that
    could not be made or compared is not kept at all; the others are written. A report stands beside each.

    Args:
        model: takes pixels 0..255, gives probabilities.
        about: what it is.
        formats: of :data:`FORMATS` and :data:`ONLY`; with ``c``, the TFLite file is written too.
        precisions: of :data:`PRECISIONS`; if there is none, fp32, and int8 for ``c``.
        out: folder of the files; made if need be.
        calibration: training images that set the ranges of integers; without them, only floats can be had.
        evaluation: images to compare on, none of them in ``calibration``. Where their labels are not known, the proof
            is agreement with the Keras model, and no accuracy is claimed.
        options: of the gate.
        listener: told of each file and its comparison.

    Raises:
        UsageError: a format or a precision is not known, or not for that format.
        ExportError: the images are not of the model, or, for integers, are too few to calibrate on, or none; or the
            model cannot be converted.
        EdgeCNNError: the folder cannot be written, or another process is at work in it.
        ParityError: the model is too weak to compare with, or a file was refused; the message names them.
    """
    options, listener = options or Options(), listener or Listener()
    wanted, in_c = _wanted(list(formats), list(precisions))
    _check_data(about, evaluation, calibration)
    ranges = _apart(calibration, evaluation, listener) if _calibrated(wanted) else None
    scores = reference_scores(model, evaluation)
    reference = Reference(evaluation, scores, require_skill(scores, evaluation), options.max_drop)
    exporter = Exporter(model, about, out, ranges, reference, options, listener, in_c)
    with _writable(out):
        problems = [problem for form, each in wanted.items() for problem in exporter.export(form, each)]
    if problems:
        told = "; ".join(dict.fromkeys(map(str, problems)))
        if any(isinstance(each, ParityError) for each in problems):
            raise ParityError(f"refused: {told}")
        raise ExportError(told)


def calibrated(formats: Iterable[str], precisions: Iterable[str]) -> set[tuple[str, str]]:
    """Format and precision of each file whose ranges come from images, if these are asked for.

    Raises:
        UsageError: a format or a precision is not known, or not for that format.
    """
    return _calibrated(_wanted(list(formats), list(precisions))[0])


def _calibrated(wanted: dict[str, list[str]]) -> set[tuple[str, str]]:
    return {(form, precision) for form, each in wanted.items() for precision in CALIBRATED.intersection(each)}


def _wanted(formats: list[str], precisions: list[str]) -> tuple[dict[str, list[str]], bool]:
    """The precisions to prove of each format, and whether C is wanted too.

    Those in integers come last: until then, no calibrated network takes memory.
    """
    pairs = [(form, precision) for form in formats for precision in precisions or [ONLY.get(form, PRECISIONS[0])]]
    for form, precision in pairs:
        if form not in (*FORMATS, *ONLY) or precision not in PRECISIONS:
            raise UsageError(
                f"{precision} {form} is not known; formats: {', '.join((*FORMATS, *ONLY))}; "
                f"precisions: {', '.join(PRECISIONS)}"
            )
        if precision != ONLY.get(form, precision):
            raise UsageError(f"{form} is written in {ONLY[form]} only, not in {precision}; ask for it by itself")
    if "int16x8" in precisions and "tflite" not in formats:
        raise UsageError("int16x8 is a precision of TFLite; add --format tflite")
    pairs = [SOURCE_OF_C if form == "c" else (form, precision) for form, precision in pairs]
    wanted: dict[str, list[str]] = {}
    for form, precision in sorted(dict.fromkeys(pairs), key=lambda pair: PRECISIONS.index(pair[1])):
        if (form, precision) in CASES or form in ONLY:
            wanted.setdefault(form, []).append(precision)
    return wanted, "c" in formats


def _check_data(about: keras_file.About, evaluation: Dataset, calibration: Dataset | None) -> None:
    shape = (about.input.height, about.input.width, 3)
    for data in (calibration, evaluation):
        if data is not None and data.images.shape[1:] != shape:
            raise ExportError(f"the images of {data.name} are {data.images.shape[1:]}, but {about.name} takes {shape}")
    if evaluation.label_names != about.labels:
        raise ExportError(f"the labels of {evaluation.name} are not those of {about.name}")


def _apart(calibration: Dataset | None, evaluation: Dataset, listener: Listener) -> Dataset:
    """The images to calibrate on that are not compared on, too: a picture may lie under two names."""
    if calibration is None:
        raise ExportError("files in integers need images to calibrate on")
    compared = {sha256(image).digest() for image in evaluation.images}
    own = [index for index, image in enumerate(calibration.images) if sha256(image).digest() not in compared]
    if common := len(calibration) - len(own):
        found = f"{common:,} of {len(calibration):,} images of {calibration.name}"
        listener.note(f"not calibrated on what {evaluation.name} has, too: {found}")
        calibration = calibration.subset(calibration.name, np.array(own, int))
    beside = f" beside those of {evaluation.name}" if common else ""
    if len(calibration) < FEWEST:
        raise ExportError(
            f"{calibration.name} has {len(calibration)} images{beside}; calibration needs at least {FEWEST} that "
            "look like what the device will see"
        )
    return calibration


@contextmanager
def _writable(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with alone(folder):
            yield
    except OSError as problem:
        raise ExportError(f"{problem.filename or folder} cannot be written ({problem.strerror or problem})") from None
