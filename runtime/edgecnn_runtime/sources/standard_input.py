"""A picture on standard input."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO

from edgecnn_runtime.errors import ImageError, UsageError
from edgecnn_runtime.picture_file import MAX_BYTES
from edgecnn_runtime.pipeline import Item


def check(wanted: str) -> None:
    """See that something is connected to it.

    Raises:
        UsageError: it is closed, or a terminal, where a command would wait for somebody to type ``wanted``.
    """
    if sys.stdin is None or sys.stdin.isatty():
        what = "closed" if sys.stdin is None else "a terminal"
        raise UsageError(f"standard input is {what}; connect {wanted} to it with < or |")


def pictures() -> Iterator[Item]:
    """The one picture that stands there."""
    try:
        data = BytesIO(sys.stdin.buffer.read(MAX_BYTES + 1))
    except OSError as problem:
        yield Item("-", ImageError(f"standard input: cannot be read ({problem.strerror}); connect a picture to it"))
        return
    data.name = "standard input"
    size = data.getbuffer().nbytes
    if not size:
        yield Item("-", ImageError("standard input: is empty; connect a picture to it"))
    elif size > MAX_BYTES:
        yield Item("-", ImageError(f"standard input: has more than {MAX_BYTES // 1_000_000} MB; make it smaller"))
    else:
        yield Item("-", data)
