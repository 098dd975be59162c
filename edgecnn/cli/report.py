"""``edgecnn report``."""

from __future__ import annotations

import shlex
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn.cli.console import decoding, measuring, say, working
from edgecnn.cli.figures import require_matplotlib
from edgecnn_runtime.errors import DataError, ParityError, UsageError

if TYPE_CHECKING:
    from edgecnn.report.subjects import Subject
    from edgecnn_export.dataset import Dataset


def report(
    words: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN_OR_FILE...",
            help="Folders of runs, with what was exported into them, and .keras, .tflite and .onnx files.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="The page.")] = Path("report.html"),
    data: Annotated[
        Path | None,
        typer.Option(
            help="Photographs whose test part to measure on, or data folder of CIFAR-10.", show_default="CIFAR-10"
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Measure on the 1,000 bundled images of CIFAR-10.")] = False,
    rounds: Annotated[int, typer.Option(min=0, help="How many times the benchmark measures each; 0: none.")] = 3,
) -> None:
    """Gather all about a network and its files on one page.

    The page is one file, and needs no server. Recipe, curves, confusion matrix, best and worst predictions, parity over
    formats and the pictures on which they disagree, benchmark, layers and model cards. What is not there, the page
    names, with the command that makes it. Ends with status 1 when a file is not the same model, or could not be
    measured; the page is there all the same.

    Example: edgecnn report runs/baseline -o report.html
    """
    if not (find_spec("jinja2") and find_spec("markdown_it")):
        raise DataError('report needs Jinja2; install it with: pip install "edgecnn[report]"')
    require_matplotlib("report")
    if quick and data:
        raise UsageError("--quick takes images that come with edgecnn, --data others: give one of them")
    from edgecnn.report import page
    from edgecnn.report.report import Told, make
    from edgecnn.report.subjects import gather

    def images(subject: Subject) -> Dataset | None:
        return _images(subject, data, quick)

    command = f"edgecnn report {shlex.join(map(str, words))}"
    page.check(out)
    made = make(gather(words), images, rounds, Told(working, measuring), command, data)
    page.write(out, made.html)
    working("")
    say(f"saved {out}, {out.stat().st_size / 1000:,.0f} kB")
    for each in made.failures:
        say(f"error: {each}")
    if made.complaints:
        raise ParityError(f"not the same model: {'; '.join(made.complaints)}")
    if made.failures:
        raise typer.Exit(1)


def _images(subject: Subject, data: Path | None, quick: bool) -> Dataset | None:
    """The test images of a network; None where no data is named and it is none of CIFAR-10's."""
    from edgecnn.data import cifar10, samples, source

    about = subject.about
    if data is None and not cifar10.fits(about.input, about.labels):
        return None
    if quick:
        return samples.test()
    return source.part_of(source.find(data, about.input, about.labels, say, decoding), "test")
