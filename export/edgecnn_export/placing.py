"""A file takes its name when it is finished, and several, or folders, take theirs together or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

UNFINISHED = ".tmp."
"""How the name of a file begins that is not finished."""


@contextmanager
def beside(path: Path) -> Iterator[Path]:
    """A path beside ``path`` for a file or a folder under which nothing stays."""
    own = path.with_name(UNFINISHED + path.name)  # the name ends as it will, for Keras goes by that
    try:
        yield own
    finally:
        with suppress(OSError):  # what went wrong before is what to tell
            remove(own)


@contextmanager
def written(path: Path) -> Iterator[Path]:
    """A path beside ``path`` at which to write a file, which then replaces what is at ``path``.

    On an error or an interrupt nothing of it stays, and what was there before is there still.

    Raises:
        OSError: it cannot be written.
    """
    with beside(path) as own:
        yield own
        _sync(own)
        own.replace(path)


def place(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Rename each first path to the second, in place of what is there.

    On an error or an interrupt between two of them, what was there before is there again.

    Raises:
        OSError: one cannot be written or renamed.
    """
    kept = [(new, target, target.with_name(f".{target.name}.old")) for new, target in pairs]
    for new, _, _ in kept:
        for file in new.rglob("*") if new.is_dir() else [new]:
            if file.is_file():
                _sync(file)
    for _, _, old in kept:
        remove(old)  # of an earlier call that was killed: it must not come back
    try:
        for _, target, old in kept:
            if target.exists():
                target.rename(old)
        for new, target, _ in kept:
            new.rename(target)
    except BaseException:
        for new, target, old in kept:
            if not new.exists():
                target.rename(new)
            if old.exists():
                old.rename(target)
        raise
    for _, _, old in kept:
        remove(old)


def _sync(path: Path) -> None:
    """See that it is on the disk; a power cut after the rename could leave an empty file under its name otherwise."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Delete a file, or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
