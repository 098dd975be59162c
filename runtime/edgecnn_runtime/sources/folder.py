"""Which files of a folder are pictures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

from edgecnn_runtime.errors import ImageError

SUFFIXES = {
    ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"
}  # fmt: skip

KINDS = ", ".join(sorted(suffix[1:] for suffix in SUFFIXES))
"""The same in words, for messages."""


def is_picture(name: str) -> bool:
    """Whether a file has a picture's suffix and is not hidden."""
    stem, dot, ending = name.rpartition(".")
    return bool(stem) and not stem.startswith(".") and dot + ending.lower() in SUFFIXES


def is_folder(path: str) -> bool:
    """Whether there is such a folder and it can be reached. Unlike :meth:`pathlib.Path.is_dir` it raises nothing."""
    return os.path.isdir(path)  # noqa: PTH112


def pictures(
    folder: str | os.PathLike[str], recursive: bool = True, unreadable: Callable[[str, ImageError], None] | None = None
) -> Iterator[str]:
    """Paths of the pictures in ``folder``, by their suffix, in the order of their names.

    Hidden files and folders are passed over, and so are links to folders, which may lead in a circle.

    Args:
        folder: where to look.
        recursive: also in the folders below it.
        unreadable: told the path of a folder that cannot be read, and why; it is then passed over.

    Raises:
        ImageError: a folder cannot be read, and nobody is to be told.
    """
    waiting = [(os.fspath(folder), True)]
    while waiting:
        path, to_list = waiting.pop()
        if not to_list:
            yield path
            continue
        try:
            waiting += reversed(_entries(path, recursive))
        except OSError as problem:
            error = ImageError(f"{path}: cannot be listed ({problem.strerror}); check its path and permissions")
            if unreadable is None:
                raise error from None
            unreadable(path, error)


def _entries(folder: str, recursive: bool) -> list[tuple[str, bool]]:
    """Paths of its pictures, and of its folders that are to be looked into; and whether it is one of these."""
    with os.scandir(folder) as listing:
        entries = sorted((each.name, each.path, _folds(each), each.is_symlink()) for each in listing)
    return [
        (path, folds)
        for name, path, folds, is_link in entries
        if (recursive and not is_link and not name.startswith(".") if folds else is_picture(name))
    ]


def _folds(entry: os.DirEntry[str]) -> bool:
    # DirEntry.is_dir() fails at a link that leads in a circle; of anything else it knows without asking the system.
    return is_folder(entry.path) if entry.is_symlink() else entry.is_dir()
