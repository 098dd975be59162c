"""What goes to the terminal beside the results."""

from __future__ import annotations

import sys
from contextlib import suppress

_CLEAR = "\r\x1b[K"
"""Takes back the line that a terminal is in."""


def printable(text: str) -> str:
    """The text, with everything escaped that could steer a terminal; labels and file names come from anywhere."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def json_text(value: object, indent: int | None = None) -> str:
    """JSON that steers no terminal: all that is not ASCII is escaped in it, and DEL too, which json leaves as it is.

    What is no number (NaN) or infinite, which JSON has no word for, is null.
    """
    import json

    try:
        text = json.dumps(value, indent=indent, allow_nan=False)
    except ValueError:
        text = json.dumps(json.loads(json.dumps(value), parse_constant=lambda _: None), indent=indent)
    return text.replace("\x7f", "\\u007f")


def tell(line: str) -> None:
    """Print a line of the results, at once."""
    print(printable(line), flush=True)


def say(line: str) -> None:
    """Print a line of its own on standard error, in the place of a passing one; where it cannot be written, nothing."""
    clear = _CLEAR if sys.stderr.isatty() else ""
    put(f"{clear}{printable(line)}\n")


def put(text: str) -> None:
    """Write to standard error at once, as it is; where it cannot be written, nothing."""
    # A reader that went away, a closed terminal, a full disk: the work goes on, and its status says how it ended.
    with suppress(OSError):
        print(text, end="", file=sys.stderr, flush=True)


def decoding(done: int, total: int) -> None:
    """Tell on a terminal how far the decoding of photographs is, in one line that goes when all are done."""
    _passing("decoding photographs", done, total)


def measuring(done: int, total: int) -> None:
    """Tell likewise how many measurements are done."""
    _passing("measuring", done, total)


def hiding(done: int, total: int) -> None:
    """Tell likewise how many pictures with a hidden part are classified."""
    _passing("hiding parts of the picture", done, total)


def drawing(what: str) -> None:
    """Tell likewise what was drawn last; when all is drawn, nothing."""
    _line(f"drawn: {printable(what)}" if what else "")


def working(on: str) -> None:
    """Tell likewise what is at work; when all is done, nothing."""
    _line(f"at work: {printable(on)}" if on else "")


def _passing(what: str, done: int, total: int) -> None:
    _line(f"{what}: {done:,} of {total:,}" if done < total else "")


def _line(text: str) -> None:
    if sys.stderr.isatty():
        put(f"{_CLEAR}{text}")
