"""The ``edgecnn`` command: its verbs, and the one place where an error becomes a line and an exit status."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer

from edgecnn import __version__
from edgecnn.cli import benchmark, classify, data, doctor, evaluate, export, info, models, parity, train, verify
from edgecnn.cli.console import say
from edgecnn_runtime.errors import EdgeCNNError, UsageError

FAILURE, USAGE, INTERRUPTED = 1, 2, 130

# Typer 0.26 and later carry a copy of Click, earlier ones import the package: this is Click's ClickException in
# both, the base of every complaint about the words of a command line.
_WrongWords: Any = typer.BadParameter.__mro__[2]

app = typer.Typer(
    name="edgecnn",
    help="Train small image classifiers, export them to TFLite and ONNX with proof, run them anywhere.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"edgecnn {__version__}")
        raise typer.Exit


@app.callback()
def _edgecnn(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    pass


app.command("models")(models.models)
app.command("train")(train.train)
app.command("export")(export.export)
app.command("parity")(parity.parity)
app.command("evaluate")(evaluate.evaluate)
app.command("classify")(classify.classify)
app.command("verify")(verify.verify)
app.command("info")(info.info)
app.command("doctor")(doctor.doctor)
app.command("benchmark")(benchmark.benchmark)
app.add_typer(data.app, name="data")


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status.

    0 is success, 1 a failure, 2 wrong usage, 130 an interrupt. Errors a user can mend are one ``error:`` line
    on standard error.
    """
    try:
        status = app(args=list(arguments) or ["--help"], prog_name="edgecnn", standalone_mode=False)
        sys.stdout.flush()
        if status == INTERRUPTED:  # Typer 0.28 makes a status of a KeyboardInterrupt, earlier ones an Abort
            raise KeyboardInterrupt
    except _WrongWords as problem:
        return _fail(problem.format_message(), USAGE)
    except UsageError as problem:
        return _fail(str(problem), USAGE)
    except EdgeCNNError as problem:
        return _fail(str(problem), FAILURE)
    except (KeyboardInterrupt, typer.Abort):
        return _fail("interrupted", INTERRUPTED)
    except BrokenPipeError:
        # The reader (head, less) has seen enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status if isinstance(status, int) else 0


def _fail(message: str, status: int) -> int:
    # A file name or a contract can hold anything; it must neither break the line nor drive the terminal.
    say(f"error: {message}")
    return status


def main() -> None:
    """Entry point of the ``edgecnn`` script."""
    sys.exit(run(sys.argv[1:]))
