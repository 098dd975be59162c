"""What a file is made with: the versions of the programs, and the machine."""

from __future__ import annotations

import platform
from importlib import metadata

from edgecnn_runtime.machine import this_machine

_PROGRAMS = (
    "edgecnn",
    "keras",
    "tensorflow",
    "tf2onnx",
    "onnx",
    "onnxruntime",
    "ai-edge-litert",
    "tflite-runtime",
)


def versions() -> dict[str, str]:
    """The kind of processor as ``machine``, its model as ``processor`` where that is known, and the versions."""
    processor = this_machine().processor  # without which a latency says little
    found = {"machine": platform.machine()} | ({"processor": processor} if processor else {})
    found["python"] = platform.python_version()
    for program in _PROGRAMS:
        try:
            found[program] = metadata.version(program)
        except metadata.PackageNotFoundError:
            continue
    return found
