"""What works on this machine, tried, and how to mend the rest.

Nothing of it is loaded into this process, numpy neither: each part is tried in a process of its own, which may crash or
hang.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

from edgecnn_runtime import own_process
from edgecnn_runtime.backends import LIBRARIES
from edgecnn_runtime.errors import BackendError
from edgecnn_runtime.machine import Machine, this_machine
from edgecnn_runtime.wheels import WHEELS, obstacle, pip

_PACKAGES = {"numpy": "numpy", "Pillow": "PIL.Image"}
"""What every interpreter needs besides itself, with the module to load."""

_SPEED_TEST = 1.0


@dataclass(frozen=True)
class Package:
    """A package that edgecnn needs.

    Attributes:
        name: as pip knows it.
        version: None if it is not installed.
        problem: what happened when it was loaded; None if it works.
        remedy: what to do then.
    """

    name: str
    version: str | None
    problem: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Trial:
    """What an interpreter did with the model.

    Attributes:
        start_ms: milliseconds to import numpy, Pillow and the interpreter, and to load the model.
        images_per_second: one at a time, on one thread, without decoding; the median.
        pictures: how many with their answers the model carries.
        same: how many of them get the answers seen at export.
    """

    start_ms: float
    images_per_second: float
    pictures: int
    same: int


@dataclass(frozen=True)
class Interpreter:
    """An interpreter, tried.

    Attributes:
        name: a key of :data:`edgecnn_runtime.backends.LIBRARIES`.
        format: of the files that it runs.
        state: ``works``, ``broken`` or ``missing``.
        version: None if it is missing, or too broken to say.
        trial: None unless it ran the model.
        problem: why it does not work; None if it does.
        remedy: what to do then, mostly a line for pip; None if it works, or cannot be had on this machine.
    """

    name: str
    format: str
    state: str
    version: str | None = None
    trial: Trial | None = None
    problem: str | None = None
    remedy: str | None = None


@dataclass(frozen=True)
class Report:
    """A machine and what works on it."""

    machine: Machine
    packages: tuple[Package, ...]
    interpreters: tuple[Interpreter, ...]

    @property
    def working(self) -> list[str]:
        """Names of the interpreters that work, the preferred first."""
        return [each.name for each in self.interpreters if each.state == "works"]


def examine(models: Mapping[str, Path], timeout: float, progress: Callable[[int, int], None]) -> Report:
    """Try what is installed.

    Args:
        models: a file with golden pictures for each format, ``tflite`` and ``onnx``.
        timeout: seconds after which a part of it counts as hanging; the speed test takes one of them.
        progress: told how many parts of how many are tried.
    """
    machine, parts = this_machine(), len(_PACKAGES) + len(LIBRARIES)
    packages, interpreters = [], []
    for done, (name, module) in enumerate(_PACKAGES.items()):
        progress(done, parts)
        packages.append(_package(name, module, timeout))
    for done, (name, library) in enumerate(LIBRARIES.items(), start=len(_PACKAGES)):
        progress(done, parts)
        interpreters.append(_interpreter(name, models[library.format], machine, timeout))
    progress(parts, parts)
    if broken := [each.name for each in packages if each.problem]:
        first = f"mend {' and '.join(broken)} first"
        interpreters = [replace(each, remedy=first) if each.state == "broken" else each for each in interpreters]
    return Report(machine, tuple(packages), tuple(interpreters))


def _package(name: str, module: str, timeout: float) -> Package:
    version = _version(name)
    try:
        own_process.run("edgecnn_runtime.checkup", module, timeout=timeout)
    except BackendError as problem:
        # tflite-runtime was compiled for numpy 1.
        wanted = '"numpy<2"' if name == "numpy" and importlib.util.find_spec("tflite_runtime") else name.lower()
        return Package(name, version, str(problem), pip("--force-reinstall --no-deps", wanted))
    return Package(name, version)


def _interpreter(name: str, model: Path, machine: Machine, timeout: float) -> Interpreter:
    library = LIBRARIES[name]
    found = importlib.util.find_spec(library.package)
    if found is None:
        reason = obstacle(name, machine)
        remedy = None if reason else pip(f'"edgecnn[{library.extra}]"')
        return Interpreter(name, library.format, "missing", problem=reason or "is not installed", remedy=remedy)
    version = _version(WHEELS[name].distribution)
    try:
        answer = own_process.ask("edgecnn_runtime.checkup", str(model), name, str(_SPEED_TEST), timeout=timeout)
    except BackendError as problem:
        where = next(iter(found.submodule_search_locations or []), found.origin)
        reason, remedy = f"{problem} ({where})", _remedy(name, str(problem), machine)
        return Interpreter(name, library.format, "broken", version, None, reason, remedy)
    version, trial = answer.pop("version"), Trial(**answer)
    if trial.same < trial.pictures:
        reason = f"{trial.pictures - trial.same} of {trial.pictures} pictures get other answers than at export"
        remedy = f"edgecnn verify {model} --backend {name}"
        return Interpreter(name, library.format, "broken", version, trial, reason, remedy)
    return Interpreter(name, library.format, "works", version, trial)


def _remedy(name: str, problem: str, machine: Machine) -> str:
    if "SIGILL" in problem or obstacle(name, machine):
        return "take another interpreter: the same wheel would do the same again"
    numpy = _version("numpy") or ""
    # The extra's pins mend what is missing, and a numpy for which tflite-runtime was not compiled.
    if "No module named" in problem or (name == "tflite-runtime" and not numpy.startswith("1.")):
        return pip(f'"edgecnn[{LIBRARIES[name].extra}]"')
    return pip("--force-reinstall --no-deps", f'"{WHEELS[name].requirement}"')


def _version(distribution: str) -> str | None:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None
