"""Score images with an exported file in a process of its own.

Two TFLite interpreters, or one beside TensorFlow, break each other when loaded together; and a model that makes an
interpreter crash must not take the export with it.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecnn_export.dataset import Images
from edgecnn_export.placing import UNFINISHED
from edgecnn_export.reload import PROGRAMS, Reloaded
from edgecnn_runtime import own_process
from edgecnn_runtime.backends import Backend, installed
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.errors import BackendError, EdgeCNNError, ExportError
from edgecnn_runtime.signature import Signature
from edgecnn_runtime.threads import cores
from edgecnn_runtime.timing import latencies

# How many interpreters at most, and of how large a model: another one takes its memory again.
_MOST, _LARGE = 4, 50_000_000
_TIMED = 200
_TIMED_SECONDS = 10.0


class RefusedError(ExportError):
    """An interpreter refused a model, or crashed."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What one interpreter made of the images.

    Attributes:
        backend: the interpreter and its version.
        probabilities: float32, shape (N, classes).
        latency: median milliseconds for one image on one thread, without decoding it.
        signature: the model's input and output, as the interpreter names them.
    """

    backend: str
    probabilities: npt.NDArray[np.float32]
    latency: float
    signature: Signature


def score(model: Path, images: Images, backend: str) -> Scores:
    """Run ``images``, uint8, shape (N, height, width, 3), through ``model`` in the named interpreter.

    Raises:
        RefusedError: the interpreter refused the model, or crashed.
        ExportError: the temporary folder is full.
    """
    with TemporaryDirectory() as folder:
        pixels, answers = Path(folder, "images.npy"), Path(folder, "scores.npz")
        try:
            np.save(pixels, images)
        except OSError as problem:  # a full disk; numpy does not say so
            raise ExportError(
                f"{folder} cannot hold the {images.nbytes / 1e6:,.0f} MB of the images to compare on "
                f"({problem.strerror or problem}); name a larger place in TMPDIR"
            ) from None
        try:
            own_process.run("edgecnn_export.scoring", str(model), backend, str(pixels), str(answers))
        except BackendError as problem:
            raise RefusedError(f"{backend} failed on {model.name.removeprefix(UNFINISHED)}: {problem}") from None
        with np.load(answers) as saved:
            signature = Signature.from_json(str(saved["signature"]))
            return Scores(str(saved["backend"]), saved["probabilities"], float(saved["latency"]), signature)


def score_everywhere(model: Path, model_format: str, images: Images) -> list[Scores]:
    """Run ``images``, shape (N, height, width, 3), through every installed interpreter for the format, one by one.

    Raises:
        ExportError: none is installed, or one failed.
    """
    return [score(model, images, backend) for backend in programs(model_format)]


def programs(model_format: str) -> list[str]:
    """What runs files of that format here: every installed interpreter, or TensorFlow or Keras.

    Raises:
        ExportError: nothing does.
    """
    backends = [PROGRAMS[model_format]] if model_format in PROGRAMS else installed(model_format)
    if not backends:
        raise ExportError(
            f'no interpreter for {model_format} is installed; install both with: pip install "edgecnn[export]"'
        )
    return list(backends)


def _open(model: str, backend: str, threads: int | None = None) -> Backend:
    if backend in PROGRAMS.values():
        return Reloaded(Path(model), backend)
    return Classifier.open(model, backend, threads).backend


def _side_by_side(model: str, name: str) -> list[Backend]:
    """Interpreters to divide the images among: one of one thread for each core, or a single one.

    TFLite computes a small network, one image at a time, hardly faster with more threads, and tflite-runtime slower.
    """
    if name in PROGRAMS.values() or Path(model).stat().st_size > _LARGE:
        return [_open(model, name)]
    return [_open(model, name, threads=1) for _ in range(min(cores(), _MOST))]


def _scores(backends: list[Backend], images: Images) -> Any:
    """Probabilities, shape (N, classes); every interpreter computes a part, outside Python's lock."""
    with ThreadPoolExecutor(len(backends)) as threads:
        parts = threads.map(lambda each, part: each.scores(part), backends, np.array_split(images, len(backends)))
        return np.concatenate(list(parts))


def _main(model: str, name: str, pixels: str, answers: str) -> None:
    images: Any = np.load(pixels, mmap_mode="r")
    times = latencies(_open(model, name, threads=1), images, _TIMED_SECONDS, most=_TIMED)
    backends = _side_by_side(model, name)
    np.savez(
        answers,
        backend=backends[0].name,
        probabilities=_scores(backends, images),
        latency=1000 * np.median(times),
        signature=backends[0].signature.to_json(),
    )


if __name__ == "__main__":
    try:
        _main(*sys.argv[1:])
    except EdgeCNNError as problem:
        sys.exit(str(problem))
