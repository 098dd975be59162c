"""Silence for libraries that write to standard error on their own."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

# Two threads that redirected and restored at once could leave the process without its standard error.
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep away what compiled code writes straight to file descriptor 2; exceptions still arrive."""
    with _ONE_AT_A_TIME:
        try:
            before = os.dup(2)
        except OSError:  # a daemon may have closed it
            yield
            return
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
        try:
            yield
        finally:
            os.dup2(before, 2)
            os.close(before)


class _Unwarned:
    """Ignore Python's warnings, in every thread while any is inside.

    ``warnings.catch_warnings`` alone restores the filters of the thread that leaves, over the head of the others.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0

    def __enter__(self) -> None:
        with self._lock:
            if not self._inside:
                self._filters = warnings.catch_warnings()
                self._filters.__enter__()
                warnings.simplefilter("ignore")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._filters.__exit__(None, None, None)


unwarned = _Unwarned()
