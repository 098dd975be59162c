"""``edgecnn classify``: name what is in pictures."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn.cli.console import say
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    from edgecnn_runtime.pipeline import Answer


def classify(
    images: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[IMAGE]...",
            help="Pictures, folders, quoted patterns, http(s) addresses, videos; - is a picture on standard input.",
            show_default=False,
        ),
    ] = None,
    recursive: Annotated[bool, typer.Option("--recursive", "-r", help="Look into the folders below, too.")] = False,
    listing: Annotated[
        str | None, typer.Option("--from", metavar="LIST", help="A file with a path a line; - is standard input.")
    ] = None,
    camera: Annotated[
        int | None, typer.Option(min=0, max=1023, help="The number of a camera; classify its frames.")
    ] = None,
    watch: Annotated[str | None, typer.Option(metavar="DIR", help="Classify pictures that appear in a folder.")] = None,
    model: Annotated[
        Path | None, typer.Option(help="A .tflite or .onnx file; without it, the model that edgecnn carries.")
    ] = None,
    backend: Annotated[str | None, typer.Option(help="litert, tflite-runtime or onnxruntime.")] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1, max=1024, help="How many work at once.", show_default="1 for one at a time, else one a core"
        ),
    ] = None,
    smooth: Annotated[
        int,
        typer.Option(
            min=1, max=10_000, metavar="N", help="Average over the last N frames of a video, --camera or --watch."
        ),
    ] = 1,
    top: Annotated[
        int | None, typer.Option(min=1, help="How many classes to show.", show_default="3; with --quiet 1")
    ] = None,
    threshold: Annotated[float, typer.Option(min=0, max=1, help="Show no class with a lower score.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a row for each class.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print the labels alone, and no progress.")] = False,
    timing: Annotated[bool, typer.Option("--timing", help="Tell what decode, resize and inference take.")] = False,
    annotate: Annotated[
        str | None, typer.Option(metavar="DIR", help="Write the pictures with their label on them into a folder.")
    ] = None,
) -> None:
    """Name what is in pictures.

    Prints a table on a terminal, elsewhere a line a picture with tabs, in the order of the pictures. One that cannot
    be classified is an error line; the others are classified all the same, and the status is 1.

    Example: edgecnn classify cam.jpg --model runs/edge-s/edge-s-int8.tflite --top 1
    """
    from edgecnn.cli.classify_answers import Printer, Wanted
    from edgecnn.cli.classify_source import asked, output_folder
    from edgecnn.cli.progress import Progress
    from edgecnn.models import default_model
    from edgecnn_runtime import Classifier
    from edgecnn_runtime.pipeline import answers
    from edgecnn_runtime.threads import divided

    if as_json + as_csv + quiet > 1:
        raise UsageError("--json, --csv and --quiet are three forms of an answer; choose one")
    if not 0 <= threshold <= 1:  # nan slips through the option's own bounds
        raise UsageError(f"--threshold is a score from 0 to 1, not {threshold}")
    if quiet and timing:
        raise UsageError("--quiet prints labels alone; leave out --timing")
    source = asked(images or [], recursive, listing, camera, watch)
    if smooth > 1 and not source.film:
        raise UsageError("--smooth averages over frames; it goes with one video, --camera or --watch alone")
    workers, inside = divided(threads, source)
    classifier = Classifier.open(model or default_model(backend), backend, inside)
    form = "json" if as_json else "csv" if as_csv else "labels" if quiet else None
    wanted = Wanted(form, top or (1 if quiet else 3), threshold, timing, output_folder(annotate, watch, recursive))
    printer = Printer(classifier, wanted, several=source.total != 1)
    found = answers(classifier, printer.noting(source.items), workers)
    failed = False
    with closing(found), Progress(source.total, wanted=not (quiet or source.live)) as progress:
        try:
            for answer in _smoothed(found, smooth):
                progress.give_way()
                if problem := printer.show(answer):
                    progress.clear()
                    say(f"error: {problem}")
                    failed = True
                progress.step()
        except KeyboardInterrupt:
            if not source.live:
                raise  # of what goes on for ever, it is the end
    if failed:
        raise typer.Exit(1)


def _smoothed(found: Iterable[Answer], frames: int) -> Iterable[Answer]:
    if frames == 1:
        return found
    from edgecnn_runtime.smoothing import smoothed

    return smoothed(found, frames)
