"""What goes to the terminal beside the results."""

from __future__ import annotations

import sys


def printable(text: str) -> str:
    """The text, with everything escaped that could steer a terminal; labels and file names come from anywhere."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def say(line: str) -> None:
    """Print a line of its own on standard error."""
    print(printable(line), file=sys.stderr, flush=True)


def decoding(done: int, total: int) -> None:
    """Tell on a terminal how far the decoding of photographs is, in one line that goes when all are done."""
    _passing("decoding photographs", done, total)


def measuring(done: int, total: int) -> None:
    """Tell likewise how many measurements are done."""
    _passing("measuring", done, total)


def _passing(what: str, done: int, total: int) -> None:
    if sys.stderr.isatty():
        line = f"{what}: {done:,} of {total:,}" if done < total else ""
        print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)
