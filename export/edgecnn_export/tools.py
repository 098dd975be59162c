"""What a file is made with: the versions of the programs, and the machine."""

from __future__ import annotations

import platform
import re
from importlib import metadata
from pathlib import Path

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
    found = {"machine": platform.machine()} | _processor() | {"python": platform.python_version()}
    for program in _PROGRAMS:
        try:
            found[program] = metadata.version(program)
        except metadata.PackageNotFoundError:
            continue
    return found


def _processor() -> dict[str, str]:
    """Its model, without which a latency says little; Linux on ARM does not tell."""
    try:
        told = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    except OSError:
        return {}
    return {"processor": told.group(1).strip()} if told else {}
