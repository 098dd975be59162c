"""Interpreters turn pixels into scores: one file each, and here the choice among those installed."""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, NamedTuple, Protocol

from edgecnn_runtime.contract import Contract
from edgecnn_runtime.errors import BackendError, UsageError
from edgecnn_runtime.signature import Signature

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Backend(Protocol):
    """One model in one interpreter."""

    @property
    def name(self) -> str:
        """The interpreter and its version, for instance ``litert 2.3.0``."""

    @property
    def signature(self) -> Signature:
        """The model's input and output, as the interpreter tells them."""

    def scores(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities of shape (N, labels) for RGB pixels 0..255 of shape (N, height, width, 3).

        Raises:
            BackendError: the interpreter gives up.
        """


class Library(NamedTuple):
    """An interpreter's Python package.

    Attributes:
        package: name to import.
        format: of the files it runs.
        extra: the extra of edgecnn that installs it.
        rivals: packages beside which it breaks, once both are loaded in one process.
    """

    package: str
    format: str
    extra: str
    rivals: tuple[str, ...] = ()


LIBRARIES = {
    "litert": Library("ai_edge_litert", "tflite", "litert", ("tflite_runtime",)),
    "tflite-runtime": Library("tflite_runtime", "tflite", "tflite", ("ai_edge_litert", "tensorflow")),
    "onnxruntime": Library("onnxruntime", "onnx", "onnx"),
}
"""In the order of preference: LiteRT is the newer of the two that run TFLite files."""


MOST_THREADS = 1024
"""More than any board has cores; the interpreters take numbers that no machine can start."""


def choose(model_format: str, name: str | None = None) -> str:
    """Name of an installed interpreter that runs files of this format and breaks beside nothing loaded.

    Args:
        model_format: ``tflite`` or ``onnx``.
        name: the one that is wanted, a key of :data:`LIBRARIES`.

    Raises:
        UsageError: there is no such interpreter, or it does not run such files.
        BackendError: it is not installed, or would break.
    """
    able = [each for each, library in LIBRARIES.items() if library.format == model_format]
    if name is not None and name not in able:
        raise UsageError(f"backend {name!r} does not run {model_format} files; choose from {', '.join(able)}")
    wanted = [name] if name else able
    installed = [each for each in wanted if _is_installed(LIBRARIES[each])]
    if not installed:
        ways = " or ".join(f'pip install "edgecnn[{LIBRARIES[each].extra}]"' for each in wanted)
        raise BackendError(f"no interpreter for it is installed; {ways}; edgecnn doctor tells which fit this machine")
    for each in installed:
        rivals = [package for package in LIBRARIES[each].rivals if package in sys.modules]
        if not rivals:
            return each
    raise BackendError(f"{each} breaks beside {rivals[0]}, which is already loaded; start a new process")


def installed(model_format: str) -> list[str]:
    """Names of the installed interpreters that run files of this format, the preferred one first."""
    return [name for name, library in LIBRARIES.items() if library.format == model_format and _is_installed(library)]


def default_format(name: str | None = None) -> str:
    """Format of the files that the named interpreter runs; without a name, the first that is installed."""
    installed = [library.format for library in LIBRARIES.values() if _is_installed(library)]
    if name in LIBRARIES:
        return LIBRARIES[name].format
    return installed[0] if installed else "tflite"


def open_backend(model: bytes, contract: Contract, name: str | None = None, threads: int | None = None) -> Backend:
    """Load a model into an interpreter.

    Args:
        model: the bytes of the file.
        contract: what the file promises; its input size and labels must be the model's own.
        name: the interpreter, a key of :data:`LIBRARIES`; otherwise the best that is installed.
        threads: how many threads compute, from 1 to :data:`MOST_THREADS`; otherwise the interpreter decides.

    Raises:
        UsageError: there is no such interpreter, or it does not run such files, or not with so many threads.
        BackendError: it is not installed, or cannot run this model.
        ModelFileError: the model does not keep the contract's promise.
    """
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise UsageError(f"threads must be at least 1 and at most {MOST_THREADS}, not {threads}")
    name = choose(contract.format, name)
    if LIBRARIES[name].format == "onnx":
        from edgecnn_runtime.backends.onnx import OnnxBackend

        return OnnxBackend(model, contract, threads)
    from edgecnn_runtime.backends.tflite import TFLiteBackend

    return TFLiteBackend(name, model, contract, threads)


def _is_installed(library: Library) -> bool:
    return importlib.util.find_spec(library.package) is not None
