"""Silence for compiled libraries that write to standard error on their own."""

from __future__ import annotations

import os
import threading
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
