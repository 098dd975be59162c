"""``edgecnn doctor``: what works on this machine?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn import __version__
from edgecnn_runtime.errors import BackendError

if TYPE_CHECKING:
    from edgecnn_runtime.doctor import Interpreter, Package, Report
    from edgecnn_runtime.machine import Machine


def doctor(
    timeout: Annotated[
        int,
        typer.Option(
            metavar="SECONDS", min=2, max=86_400, help="When an interpreter that does not answer is given up."
        ),
    ] = 120,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Tell which interpreters work on this machine, and how fast.

    It says how to mend those that do not, too. Each interpreter runs the model that edgecnn carries for a second, in a
    process of its own: one that crashes or hangs is a line of the report. Ends with status 1 when none works.

    Example: edgecnn doctor
    """
    from edgecnn.cli.console import json_text, measuring
    from edgecnn.models import carried
    from edgecnn_runtime.doctor import examine

    report = examine({each: carried(each) for each in ("tflite", "onnx")}, timeout, measuring)
    if as_json:
        document = {"edgecnn": __version__, "working": report.working} | asdict(report)
        print(json_text(document, 2))
    else:
        _show(report)
    if not report.working:
        raise BackendError("no interpreter works here; edgecnn classifies nothing before one does")


def _show(report: Report) -> None:
    from edgecnn.cli.console import tell
    from edgecnn.cli.tables import show

    for name, text in _about(report.machine):
        tell(f"{name:10} {text}")
    packages = ", ".join(f"{each.name} {each.version or 'missing'}" for each in report.packages)
    tell(f"{'edgecnn':10} {__version__}, {packages}")
    tell("")
    show(
        ("interpreter", "files", "version", "state", "start ms", "images/s", "as at export"),
        map(_cells, report.interpreters),
        text_columns=4,
    )
    tell("")
    parts: list[Package | Interpreter] = [*report.packages, *report.interpreters]
    for each in parts:
        if each.problem:
            tell(f"{each.name} {each.problem}" if each.version is None else f"{each.name}: {each.problem}")
            if each.remedy:
                tell(f"  {each.remedy}")
    for line in _advice(report):
        tell(line)


def _about(machine: Machine) -> Iterator[tuple[str, str]]:
    yield "Python", f"{machine.python}, {machine.executable}"
    yield "system", f"{machine.system}, {machine.architecture}, {machine.c_library or 'unknown C library'}"
    yield "processor", f"{machine.processor or 'unknown'}: {', '.join(machine.features) or 'no special instructions'}"
    yield "cores", str(machine.cores)
    if machine.memory and machine.free_memory:
        yield "memory", f"{machine.memory / 1e9:.1f} GB, {machine.free_memory / 1e9:.1f} GB free"


def _cells(each: Interpreter) -> tuple[str, ...]:
    first = (each.name, each.format, each.version or "-", each.state)
    if (trial := each.trial) is None:
        return (*first, "-", "-", "-")
    return (*first, f"{trial.start_ms:.0f}", f"{trial.images_per_second:,.0f}", f"{trial.same} of {trial.pictures}")


def _advice(report: Report) -> Iterator[str]:
    """Where the interpreter that is taken without --backend does not work, and another does."""
    for model_format in ("tflite", "onnx"):
        able = [each for each in report.interpreters if each.format == model_format and each.state != "missing"]
        working = [each for each in able if each.state == "works"]
        if working and working[0] is not able[0]:
            yield f"edgecnn takes {able[0].name} for {model_format} files: say --backend {working[0].name}"
