"""Pictures that a list names, one path or address a line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

from edgecnn_runtime.errors import UsageError
from edgecnn_runtime.sources import Source
from edgecnn_runtime.sources.named import STANDARD_INPUT, one
from edgecnn_runtime.sources.standard_input import check


def listed(path: str) -> Source:
    """What the lines of a file name, or those of standard input, if it is called ``-``.

    Paths are relative to the current folder, as those that ``find`` prints. The lines are read one by one, so a
    list may be of any length, and standard input may go on for ever.

    Raises:
        UsageError: the list cannot be read, or is empty.
    """
    if path == STANDARD_INPUT:
        check("a list")
        return Source(chain.from_iterable(map(one, _checked(_names(sys.stdin.buffer)))))
    try:
        with Path(path).open("rb") as file:
            count = sum(1 for _ in _names(file)) if Path(path).is_file() else None
    except OSError as problem:
        raise UsageError(f"{path}: cannot be read ({problem.strerror}); name a text file with a path a line") from None
    if count == 0:
        raise UsageError(f"{path}: names no pictures; put a path on each line")
    return Source(chain.from_iterable(map(one, _checked(_in_file(path)))), count)


def _in_file(path: str) -> Iterator[str]:
    with Path(path).open("rb") as file:
        yield from _names(file)


def _names(lines: Iterable[bytes]) -> Iterator[str]:
    """File names are bytes, so a line need not be text."""
    for line in lines:
        name = line.rstrip(b"\r\n")
        if name.strip():
            yield os.fsdecode(name)


def _checked(names: Iterator[str]) -> Iterator[str]:
    name = next(names, None)
    if name is None:
        raise UsageError("the list names no pictures; put a path on each line")
    yield name
    yield from names
