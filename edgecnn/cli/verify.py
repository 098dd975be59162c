"""``edgecnn verify``: does this machine give the answers seen at export?"""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn.cli.console import json_text, printable, say
from edgecnn_runtime.errors import EdgeCNNError, UsageError

if TYPE_CHECKING:
    from edgecnn_runtime.verify import Mismatch, Verification


def verify(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exported .tflite and .onnx files.")],
    backend: Annotated[str | None, typer.Option(help="litert, tflite-runtime or onnxruntime.")] = None,
    threads: Annotated[
        int | None,
        typer.Option(min=1, max=1024, help="How many threads compute.", show_default="the interpreter's choice"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Check that files give the answers here that export saw.

    A file carries pictures for it, with their answers. The checksum is looked at first, so a damaged copy is told apart
    from a machine that computes wrongly. Then the pictures go through the image decoder and the interpreter of this
    machine. Ends with status 1 when any answer is another one.

    Example: edgecnn verify flowers-int8.tflite --threads 4
    """
    from edgecnn_runtime.verify import verify as run

    failed = False
    for file in files:
        try:
            verification = run(file, backend, threads)
        except UsageError:
            raise
        except EdgeCNNError as problem:
            say(f"error: {problem}")
            failed = True
            continue
        print(_json(verification) if as_json else _lines(verification), flush=True)
        if not verification.passed:
            say(f"error: {_remedy(verification)}")
            failed = True
    if failed:
        raise typer.Exit(1)


def _lines(result: Verification) -> str:
    same = result.pictures - len(result.mismatches)
    other = "" if result.own_answers else f" (compared with {result.answers_of}: the file was not run in it at export)"
    first = (
        f"{'verified' if result.passed else 'FAILED'} {result.file}: {same} of {result.pictures} pictures give the "
        f"answers seen at export, largest difference {result.difference:.1e} ({result.tolerance:.1e} is allowed), "
        f"by {result.backend} on {result.machine}{other}, {result.seconds:.2f} s"
    )
    return "\n".join(map(printable, (first, *map(_line, result.mismatches))))


def _line(each: Mismatch) -> str:
    decoder = "" if each.decoded else "; the image decoder changed its pixels"
    return (
        f"  picture {each.picture}: {each.expected} at export, {each.got} here, "
        f"differs by {each.difference:.1e}{decoder}"
    )


def _remedy(result: Verification) -> str:
    if all(each.decoded for each in result.mismatches):
        return (
            f"{result.file}: {result.backend} does not give the answers seen at export; try another version of it, "
            "--backend or number of --threads, and if none gives them, export the file again"
        )
    return f"{result.file}: the image decoder gives other pixels than at export; install another version of Pillow"


def _json(result: Verification) -> str:
    document = {"passed": result.passed} | asdict(result)
    for each in (document, *document["mismatches"]):
        if not math.isfinite(each["difference"]):
            each["difference"] = None  # JSON has no infinity
    return json_text(document)
