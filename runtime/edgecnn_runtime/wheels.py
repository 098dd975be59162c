"""Where the interpreters' wheels run, and what pip is to be told on this machine."""

from __future__ import annotations

import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from edgecnn_runtime.machine import Machine

_Version = tuple[int, int]


class Wheels(NamedTuple):
    """What an interpreter's project publishes for Linux.

    Attributes:
        requirement: the package as edgecnn's extra requires it.
        first_python: oldest CPython.
        last_python: newest.
        glibc: oldest C library, by architecture.
    """

    requirement: str
    first_python: _Version
    last_python: _Version
    glibc: dict[str, _Version]

    @property
    def distribution(self) -> str:
        """The package's name, as pip knows it."""
        return re.split("[=>]", self.requirement, maxsplit=1)[0]


WHEELS = {
    "litert": Wheels("ai-edge-litert>=2.0", (3, 10), (3, 14), {"x86_64": (2, 27), "aarch64": (2, 27)}),
    "tflite-runtime": Wheels(
        "tflite-runtime==2.14.0", (3, 9), (3, 11), {"x86_64": (2, 17), "aarch64": (2, 34), "armv7l": (2, 34)}
    ),
    "onnxruntime": Wheels("onnxruntime>=1.18.1", (3, 10), (3, 14), {"x86_64": (2, 28), "aarch64": (2, 28)}),
}
"""As the wheels' names say: ai-edge-litert 2.3.0, tflite-runtime 2.14.0 and onnxruntime 1.32.0."""


def obstacle(interpreter: str, machine: Machine) -> str | None:
    """Why pip finds no wheel of the interpreter for this machine; None if it does, or if this is not Linux.

    Args:
        interpreter: a key of :data:`WHEELS`.
        machine: where it is to run.
    """
    wheels = WHEELS[interpreter]
    if not machine.system.startswith("Linux"):
        return None
    if machine.architecture not in wheels.glibc:
        return f"has no wheel for {machine.architecture}, only for {_listed(list(wheels.glibc))}"
    python = _version(machine.python)
    if not wheels.first_python <= python <= wheels.last_python:
        first, last = map(_dotted, (wheels.first_python, wheels.last_python))
        return f"has no wheel for Python {_dotted(python)}, only for {first} to {last}"
    needed = wheels.glibc[machine.architecture]
    name, _, version = machine.c_library.partition(" ")
    if name != "glibc" or _version(version) < needed:
        return f"has no wheel for {machine.c_library or 'this C library'}: it needs glibc {_dotted(needed)} or newer"
    return None


def pip(*words: str) -> str:
    """The command line of ``pip install`` for this Python; the first ``pip`` on the path may be another's."""
    found = shutil.which("pip")
    own = found and Path(found).parent == Path(sys.executable).parent
    return " ".join(("pip" if own else f"{shlex.quote(sys.executable)} -m pip", "install", *words))


def _version(text: str) -> _Version:
    major, minor = [*(int(part) if part.isdigit() else 0 for part in text.split(".")), 0, 0][:2]
    return major, minor


def _dotted(version: _Version) -> str:
    return f"{version[0]}.{version[1]}"


def _listed(names: list[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1]) if names[1:] else names)
