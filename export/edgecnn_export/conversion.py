"""What every conversion needs around it, whichever library converts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edgecnn_runtime.errors import ExportError, first_line
from edgecnn_runtime.quiet import quiet


@contextmanager
def conversion(failure: str) -> Iterator[None]:
    """Keep a converter's notes off the terminal, and turn whatever it raises into an ExportError.

    Args:
        failure: what could not be done, in words; the first line of the converter's message follows in brackets.
    """
    try:
        with quiet():
            yield
    except Exception as problem:  # converters raise whatever their many layers raise
        raise ExportError(f"{failure} ({first_line(problem)})") from None
