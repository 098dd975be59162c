"""Pictures that a list names, one path or address a line."""

from __future__ import annotations

import codecs
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from edgecnn_runtime.errors import ImageError, UsageError
from edgecnn_runtime.pipeline import Item
from edgecnn_runtime.sources import Source
from edgecnn_runtime.sources.named import STANDARD_INPUT, one
from edgecnn_runtime.sources.standard_input import check


def listed(path: str) -> Source:
    """What the lines of a file name, or those of standard input, if it is called ``-``.

    Paths are relative to the current folder, as those that ``find`` prints. A list is read line by line and may be of
    any length. What comes on standard input is live: each line is answered before the next one is read.

    Raises:
        UsageError: the list cannot be opened, is empty, or is no text.
        ImageError: it cannot be read.
    """
    if path == STANDARD_INPUT:
        check("a list")
        return Source(_pictures(sys.stdin.buffer, path), live=True)
    try:
        file = Path(path).open("rb")  # noqa: SIM115 - closed with the last line
        total = _count(file, path)
    except OSError as problem:
        raise UsageError(f"{path}: cannot be read ({problem.strerror}); name a text file with a path a line") from None
    return Source(_pictures(file, path), total)


def _count(file: BinaryIO, path: str) -> int | None:
    """How many pictures a list names; None where it can be read only once."""
    if not file.seekable():
        return None
    try:
        total = sum(1 for _ in _names(file, path))
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return total


def _pictures(file: BinaryIO, path: str) -> Iterator[Item]:
    empty = True
    with file:
        for name in _names(file, path):
            empty = False
            yield from one(name)
    if empty:
        raise UsageError(f"{path}: names no pictures; put a path on each line")


def _names(lines: Iterable[bytes], path: str) -> Iterator[str]:
    """File names are bytes, so a line need not be text. Windows' editors may begin a list with a byte order mark."""
    try:
        for number, line in enumerate(lines):
            if b"\0" in line:
                raise UsageError(f"{path}: is no list (it holds NUL); put a path on each line, in UTF-8")
            name = (line if number else line.removeprefix(codecs.BOM_UTF8)).rstrip(b"\r\n")
            if name.strip():
                yield os.fsdecode(name)
    except OSError as problem:
        place = "standard input" if path == STANDARD_INPUT else path
        raise ImageError(f"{place}: cannot be read ({problem.strerror}); connect or name another list") from None
