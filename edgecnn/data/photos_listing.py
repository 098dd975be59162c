"""Which photographs a set has and what is on them, from class folders or from a CSV. No picture is opened."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import NamedTuple

from edgecnn_runtime.errors import DataError
from edgecnn_runtime.sources.folder import KINDS, pictures

PATH_COLUMNS = ("path", "file", "filename", "image")
LABEL_COLUMNS = ("label", "class")
PARTS = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
"""The folders that divide photographs, by what people call them, in capitals or not."""

UNREAD = (".arw", ".avif", ".cr2", ".cr3", ".dng", ".heic", ".heif", ".jxl", ".nef", ".orf", ".raf", ".rw2")
"""Suffixes of photographs of kinds that are not read, which people take for any others."""

LAYOUTS = "one sub-folder a class, or train/ and val/ that hold such sub-folders; or name a CSV of path,label"


class Photo(NamedTuple):
    """A picture file and what is on it."""

    path: Path
    label: str


def read(source: Path) -> dict[str, list[Photo]]:
    """The photographs of a folder or a CSV, sorted by name, not by the file system.

    Returns:
        The photographs by part: under ``train`` and ``val`` or ``test`` where such folders divide them, else all
        under ``all``.

    Raises:
        DataError: there are no class folders, or only one class, or one without pictures; a file of the CSV does
            not exist.
        OSError: a folder cannot be read.
    """
    places = _places(source) if source.is_dir() else {}
    listing = {part: _in_class_folders(place) for part, place in places.items()} or {"all": _in_csv(source)}
    labels_of = {part: {photo.label for photo in photos} for part, photos in listing.items()}
    labels = sorted(set.union(*labels_of.values()))
    if len(labels) < 2:
        raise DataError(f"{source} holds only one class, {labels[0]}; there must be two to tell apart")
    for label in labels:
        if not label.isprintable():
            raise DataError(f"the class {label!r} of {source} is not plain text; rename it")
        for part, present in labels_of.items():
            if label not in present:
                raise DataError(f"the class {label} has no pictures in {places[part]}; add some, or remove the class")
    return listing


def unread(source: Path) -> list[Path]:
    """The photographs below a folder that are of kinds which are not read; there are none in a CSV."""
    return sorted(
        Path(folder, name)
        for folder, _, names in os.walk(source)
        for name in names
        if name.lower().endswith(UNREAD) and not name.startswith(".")
    )


def _places(source: Path) -> dict[str, Path]:
    folders = _folders(source)
    places: dict[str, Path] = {}
    for part, names in PARTS.items():
        found = [name for name in folders if name.casefold() in names]
        if len(found) > 1:
            raise DataError(f"{source} holds {' and '.join(f'{name}/' for name in found)}; keep one of them as {part}/")
        if found:
            places[part] = folders[found[0]]
    if "train" in places and len(places) > 1:
        return places
    for place in places.values():
        # A class may be called so: then pictures are in it, and no folders.
        if _folders(place) and next(iter(pictures(place, recursive=False)), None) is None:
            raise DataError(
                f"{place} holds folders, as a part of a divided set does; {_remedy(place, len(folders) > len(places))}"
            )
    return {"all": source}


def _remedy(place: Path, beside_classes: bool) -> str:
    if beside_classes:
        return "move it away from the class folders beside it"
    return f"name {place} itself, or add train/ and val/ that go with it"


def _folders(folder: Path) -> dict[str, Path]:
    """Sub-folders by name; not hidden ones, nor a link back to where it stands or higher up."""
    here = folder.resolve()
    below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    return {path.name: path for path in below if not here.is_relative_to(path.resolve())}


def _in_class_folders(folder: Path) -> list[Photo]:
    classes = _folders(folder)
    if not classes:
        raise DataError(f"{folder} has no class folders; expected {LAYOUTS}")
    listing = []
    for label, place in classes.items():
        photos = [Photo(Path(path), label) for path in pictures(place)]
        if not photos:
            raise DataError(f"{place} holds no pictures ({KINDS}); add some, or remove the folder")
        listing += photos
    return listing


def _in_csv(source: Path) -> list[Photo]:
    try:
        with source.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file, strict=True)
            rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(map(str.strip, row))]
    except csv.Error as problem:
        raise DataError(f"{source} line {reader.line_num}: cannot be read as CSV ({problem})") from None
    except (OSError, UnicodeDecodeError) as problem:
        raise DataError(f"{source} cannot be read as a CSV of path,label ({problem})") from None
    path_column, label_column, has_header = _columns(rows[0][1]) if rows else (0, 1, False)
    photos: dict[Path, Photo] = {}
    for line, row in rows[has_header:]:
        if len(row) <= max(path_column, label_column) or not row[label_column]:
            raise DataError(f"{source} line {line}: expected path,label, got {','.join(row)}")
        path = Path(os.path.normpath(source.parent / row[path_column]))
        if not path.is_file():
            raise DataError(
                f"{source} line {line}: {path} does not exist; paths are relative to the CSV, and a header "
                f"calls its columns {PATH_COLUMNS[0]} and {LABEL_COLUMNS[0]}"
            )
        if path in photos:
            raise DataError(f"{source} line {line}: {path} was named before; remove one of the two lines")
        photos[path] = Photo(path, row[label_column])
    if not photos:
        raise DataError(f"{source} names no pictures; expected lines of path,label")
    return [photos[path] for path in sorted(photos)]


def _columns(first: list[str]) -> tuple[int, int, bool]:
    """Where path and label stand, and whether the first line is a header that says so."""
    names = [cell.lower() for cell in first]
    paths, labels = ([names.index(name) for name in known if name in names] for known in (PATH_COLUMNS, LABEL_COLUMNS))
    return (paths[0], labels[0], True) if paths and labels else (0, 1, False)
