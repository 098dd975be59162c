"""The ``edgecnn`` command: its verbs, and the one place where an error becomes a line and an exit status."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from inspect import getdoc
from io import TextIOWrapper
from itertools import pairwise
from keyword import iskeyword
from pathlib import Path
from typing import Annotated, Any

import typer

from edgecnn import __version__
from edgecnn.cli.console import say
from edgecnn_runtime.errors import EdgeCNNError, UsageError, first_line

VERBS = (
    "models",
    "train",
    "tune",
    "import",
    "export",
    "parity",
    "evaluate",
    "classify",
    "verify",
    "doctor",
    "benchmark",
    "info",
    "inspect",
    "report",
    "data",
)
"""Each is a module beside this one, with a function of its name, or an ``app`` with verbs of its own.

A word of Python's own has ``_`` behind it there.
"""

READ = ("classify", "info", "models")
"""What they print is all that they do, so that they have not failed when nobody reads on."""

FAILURE, USAGE, INTERRUPTED = 1, 2, 130

# Typer 0.26 and later carry a copy of Click, earlier ones import the package: this is Click's ClickException in
# both, the base of every complaint about the words of a command line.
_WrongWords: Any = typer.BadParameter.__mro__[2]


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"edgecnn {__version__}")
        raise typer.Exit


def _edgecnn(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and stop."),
    ] = False,
) -> None:
    pass


def program(verb: str | None = None) -> typer.Typer:
    """The command line with one verb, or a list of all.

    Importing a verb's module and reading its options both take longer than most pictures. So of one verb nothing else
    is imported, and for the list no options are read.
    """
    app = typer.Typer(
        name="edgecnn",
        help="Train small image classifiers, export them to TFLite and ONNX with proof, run them anywhere.",
        add_completion=False,
        context_settings={"help_option_names": ["--help", "-h"]},
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_edgecnn)
    for name in VERBS if verb is None else [verb]:
        here = name + "_" * iskeyword(name)
        module = import_module(f"edgecnn.cli.{here}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            function = getattr(module, here)
            app.command(name)(function if verb else _described(function))
    return app


def _described(function: Callable[..., None]) -> Callable[[], None]:
    """What stands in the list for a verb: its description, without its options."""

    def line() -> None:
        pass

    line.__doc__ = getdoc(function)
    return line


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit status.

    0 is success, 1 a failure, 2 wrong usage, 130 an interrupt. Errors a user can mend are one ``error:`` line
    on standard error.
    """
    words = list(arguments) or ["--help"]
    try:
        _require_values(words)
        app = program(words[0] if words[0] in VERBS else None)
        status = app(args=words, prog_name="edgecnn", standalone_mode=False)
        sys.stdout.flush()
        if status == INTERRUPTED:  # Typer 0.28 makes a status of a KeyboardInterrupt, earlier ones an Abort
            raise KeyboardInterrupt
        return status if isinstance(status, int) else 0
    except _WrongWords as problem:
        message, failed = problem.format_message(), USAGE
    except EdgeCNNError as problem:
        message, failed = str(problem), USAGE if isinstance(problem, UsageError) else FAILURE
    except (KeyboardInterrupt, typer.Abort):
        message, failed = "interrupted", INTERRUPTED
    except (BrokenPipeError, SystemExit):  # Typer makes the second of the first
        # The reader (head, less) has seen enough; a verb that proves or makes something has not come to its end.
        _close_output()
        return 0 if words[0] not in VERBS or words[0] in READ or {"-h", "--help"} & {*words} else FAILURE
    except ImportError as problem:
        reason = first_line(problem.__cause__ or problem)  # numpy tells it there
        message = f"a package does not load ({reason}); edgecnn doctor mends numpy, Pillow and the interpreters"
        failed = FAILURE
    except MemoryError:
        message, failed = "this takes more memory than there is; end other programs, or ask for less at a time", FAILURE
    except OSError as problem:
        failed = FAILURE
        if problem.filename is None:
            _close_output()
            message = f"the output cannot be written ({problem.strerror})"
        else:
            message = f"{problem.filename}: {problem.strerror}; check its path and permissions"
    return _fail(message, failed)


def _require_values(words: Sequence[str]) -> None:
    """Nothing is asked for by an empty word, which is what is left of a shell's variable that is not set."""
    for before, word in pairwise(["edgecnn", *words]):
        if not word:
            named = f"the value of {before}" if before.startswith("-") else "an argument"
            raise UsageError(f"{named} is empty; a variable of the shell may not be set")
        if word.startswith("--") and word.endswith("="):
            raise UsageError(f"the value of {word[:-1]} is empty; a variable of the shell may not be set")


def _close_output() -> None:
    # Python would complain again when it flushes at exit.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, status: int) -> int:
    # A file name or a contract can hold anything; it must neither break the line nor drive the terminal.
    say(f"error: {message}")
    return status


def _unraisable(problem: sys.UnraisableHookArgs) -> None:
    """What a destructor or a callback raised: nobody can catch it, and Python would print a traceback.

    An interrupt that came just there is lost with it, and is sent once more, when this function has ended: in it, it
    would be lost again.
    """
    if issubclass(problem.exc_type, KeyboardInterrupt):
        again = threading.Timer(0.01, signal.pthread_kill, (threading.main_thread().ident, signal.SIGINT))
        again.start()


def main() -> None:
    """Entry point of the ``edgecnn`` script."""
    sys.unraisablehook = _unraisable
    # A file that takes the number of a stream which was closed would be written to as that stream.
    with suppress(OSError):  # where there is no such device
        while (spare := os.open(os.devnull, os.O_RDWR)) <= 2:
            pass
        os.close(spare)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
    if isinstance(sys.stdout, TextIOWrapper):
        # A label that the terminal's encoding does not have must not end the work.
        sys.stdout.reconfigure(errors="backslashreplace")
    # What is imported stays: looking for garbage among it every 700 objects takes 4 % of a cold start.
    gc.set_threshold(50_000)
    # Nothing here multiplies large matrices with numpy, whose library would start a thread for every core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    status = run(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    # The system takes the process down at once; Python and numpy take a tenth of a cold start for it.
    os._exit(status)
