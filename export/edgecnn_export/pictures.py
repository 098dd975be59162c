"""Which files of a folder are pictures."""

from __future__ import annotations

import os
from pathlib import Path

SUFFIXES = {
    ".bmp", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp"
}  # fmt: skip


def below(folder: Path) -> list[Path]:
    """The pictures in ``folder`` and in the folders below it, by their suffix, in the order of their paths.

    Hidden files and folders are passed over, and so are links to folders, which may lead in a circle.
    """
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place, name) for name in files if not name.startswith(".")]
    return sorted(path for path in found if path.suffix.lower() in SUFFIXES)
