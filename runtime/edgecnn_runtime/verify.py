"""Does a file give here the answers that were seen at export? The pictures and the answers travel inside it.

>>> from edgecnn_runtime.verify import verify
>>> verify("edge-s-int8.tflite").passed  # doctest: +SKIP
True

Every golden picture is written as a PNG in memory and takes the way of any picture: decoder, crop, resize,
interpreter. So a broken decoder is found as well as an interpreter that computes wrongly. That the file itself is
whole is its checksum's business, looked at first: a damaged copy never gets as far as being verified.
"""

from __future__ import annotations

import io
import os
import platform
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgecnn_runtime import sheet
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.contract import Contract, InputSpec
from edgecnn_runtime.errors import ImageError, ModelFileError
from edgecnn_runtime.image import Pixels, pixels
from edgecnn_runtime.tolerance import TOLERANCES, library_of, tolerance

Probabilities = npt.NDArray[np.float32]

# The answers are written down with 7 decimals.
_WRITTEN = 1e-6

_FRAME = 8
"""Pixels that are put on either side of every second picture."""


@dataclass(frozen=True)
class Mismatch:
    """A picture that does not get the answers seen at export.

    Attributes:
        picture: its number, from 1.
        expected: its label at export.
        got: its label here.
        difference: largest difference of any probability; infinite if one is not a number.
        decoded: whether the image decoder gave its pixels unchanged. If not, the interpreter is not to blame.
    """

    picture: int
    expected: str
    got: str
    difference: float
    decoded: bool


@dataclass(frozen=True)
class Verification:
    """A file in an interpreter on this machine, against what was seen at export.

    Attributes:
        file: its path.
        backend: interpreter and version.
        answers_of: the interpreter whose answers at export were to be repeated: this one, or, if the file was not run
            in it, the preferred one.
        machine: processor architecture.
        pictures: how many there are.
        tolerance: largest difference of a probability that passes: 1e-4 for float files and one step of 1/256 for
            8-bit ones, but more where the code that computes is not that of the export.
        difference: largest difference of a probability that there was.
        mismatches: the pictures that failed.
        seconds: for all of it, from opening the file.
    """

    file: str
    backend: str
    answers_of: str
    machine: str
    pictures: int
    tolerance: float
    difference: float
    mismatches: tuple[Mismatch, ...]
    seconds: float

    @property
    def own_answers(self) -> bool:
        """Whether the file was run in this interpreter, in whatever version, at export."""
        return library_of(self.answers_of) == library_of(self.backend)

    @property
    def passed(self) -> bool:
        """Whether every picture gets the answers seen at export."""
        return not self.mismatches


def verify(path: str | os.PathLike[str], backend: str | None = None, threads: int | None = None) -> Verification:
    """Run a model file's golden pictures and compare the answers with those seen at export.

    Args:
        path: the ``.tflite`` or ``.onnx`` file.
        backend: ``litert``, ``tflite-runtime`` or ``onnxruntime``; otherwise the best that is installed.
        threads: how many threads compute, at least 1; otherwise the interpreter decides.

    Raises:
        ModelFileError: the file is missing, damaged, was not written by edgecnn, was refused at export, or carries no
            golden pictures.
        BackendError: no installed interpreter can run it.
        UsageError: there is no such backend, or it does not run such files.
        ImageError: the image decoder refuses a golden picture.
    """
    begun = time.perf_counter()
    classifier = Classifier.open(path, backend, threads)
    contract, name = classifier.contract, classifier.backend.name
    try:
        answers_of, images, expected = _read(contract, name)
    except (ImageError, ValueError, TypeError, OverflowError) as problem:
        raise ModelFileError(f"{os.fspath(path)}: {problem}; export it again") from None
    allowed = tolerance(contract, name, answers_of)
    pictures = [_picture(image, index % 2 == 1, contract.input) for index, image in enumerate(images)]
    try:
        decoded = [
            np.array_equal(pixels(io.BytesIO(each), contract.input), image)
            for each, image in zip(pictures, images, strict=True)
        ]
        scores = classifier.scores(map(io.BytesIO, pictures))
    except ImageError as problem:
        raise ImageError(f"{os.fspath(path)}: {problem}") from None
    # A NaN compares false with everything: it must not slip through as a small difference.
    differences = np.where(np.isfinite(scores), np.abs(scores - expected), np.inf).max(-1)
    mismatches = tuple(
        Mismatch(
            index + 1,
            contract.labels[expected[index].argmax()],
            contract.labels[scores[index].argmax()],
            float(differences[index]),
            decoded[index],
        )
        for index in range(len(images))
        if differences[index] > allowed + _WRITTEN or not decoded[index]
    )
    return Verification(
        file=os.fspath(path),
        backend=name,
        answers_of=answers_of,
        machine=platform.machine(),
        pictures=len(images),
        tolerance=allowed,
        difference=float(differences.max()),
        mismatches=mismatches,
        seconds=time.perf_counter() - begun,
    )


def _read(contract: Contract, backend: str) -> tuple[str, Pixels, Probabilities]:
    """An interpreter, the pictures, and its answers to them at export: ``backend``'s own in whatever version, if any.

    Raises:
        ImageError, ValueError, TypeError, OverflowError: there are none, or they cannot be read.
    """
    golden, spec = contract.golden, contract.input
    if golden is None or not golden.exported:
        raise ValueError("carries no pictures to verify it with")
    if any(isinstance(each, dict) and each.get("passed") is False for each in contract.parity.get("results", [])):
        raise ValueError("was refused at export, for it is not the model it was made from")
    if contract.precision not in TOLERANCES:
        raise ValueError(f"its precision {contract.precision!r} is not known")
    of = next(
        (each for each in golden.exported if library_of(each) == library_of(backend)), next(iter(golden.exported))
    )
    images = sheet.unpack_text(golden.images, golden.count, spec.height, spec.width)
    with np.errstate(over="ignore"):
        answers = np.array(golden.exported[of], np.float32)
    if answers.shape != (len(images), len(contract.labels)) or not np.isfinite(answers).all():
        raise ValueError("carries pictures without their answers")
    return of, images, answers


def _picture(image: Pixels, framed: bool, spec: InputSpec) -> bytes:
    """A PNG file of a golden picture. In a frame, it is the crop and the resize that must give it back unchanged."""
    if framed and spec.fit == "crop":
        image = np.pad(image, ((0, 0), (_FRAME, _FRAME), (0, 0)), constant_values=255)
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()
