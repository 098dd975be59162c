"""Finished files and folders take their names together, or none of them does."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path


def place(pairs: Sequence[tuple[Path, Path]]) -> None:
    """Rename each first path to the second, in place of what is there.

    On an error or an interrupt between two of them, what was there before is there again.
    """
    kept = [(new, target, target.with_name(f".{target.name}.old")) for new, target in pairs]
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


def remove(path: Path) -> None:
    """Delete a file, or a folder with all that is in it, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
