"""One process at a time trains into a folder, or exports."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from edgecnn_runtime.errors import EdgeCNNError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the folder until the end; the system lets go of it whatever ends the process.

    Where the system or the file system has no such locks, nothing is held.

    Raises:
        EdgeCNNError: another process holds it, or nothing can be written in it.
    """
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as problem:
        raise EdgeCNNError(f"{folder} cannot be written ({problem.strerror}); choose another --out") from None
    try:
        import fcntl
    except ModuleNotFoundError:  # Windows
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a network folder without locks
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise EdgeCNNError(
                    f"another process is at work in {folder}; wait until it has ended, or choose another --out"
                ) from None
        yield
    finally:
        os.close(descriptor)
