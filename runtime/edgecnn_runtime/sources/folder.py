"""Which files of a folder are pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator

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


def pictures(folder: str | os.PathLike[str], recursive: bool = True) -> Iterator[str]:
    """Paths of the pictures in ``folder``, by their suffix, in the order of their names.

    With ``recursive`` also those in the folders below it. Hidden files and folders are passed over, and so are links
    to folders, which may lead in a circle.

    Raises:
        ImageError: a folder cannot be read.
    """
    try:
        with os.scandir(os.fspath(folder)) as listing:
            entries = sorted((each.name, each.path, _is_folder(each), each.is_symlink()) for each in listing)
    except OSError as problem:
        raise ImageError(f"{os.fspath(folder)}: cannot be listed ({problem.strerror})") from None
    for name, path, is_folder, is_link in entries:
        if not is_folder:
            if is_picture(name):
                yield path
        elif recursive and not is_link and not name.startswith("."):
            yield from pictures(path)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    # DirEntry.is_dir() fails at a link that leads in a circle, os.path.isdir() says no.
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112
