"""Photographs that are there twice: what is learnt by heart must not be in the test as well."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from edgecnn.data.photos_cache import Say
from edgecnn.data.photos_listing import Photo
from edgecnn_runtime.wording import counted


def without_copies(photos: Sequence[Photo], others: Iterable[Photo], part: str, say: Say) -> list[Photo]:
    """Those of ``photos`` whose file is not, byte for byte, one of the ``others``.

    Args:
        photos: of one part of a set.
        others: of the parts that keep their pictures.
        part: what ``photos`` are for, to be told.
        say: told in one line how many are left out, and of one of them.
    """
    by_size = defaultdict(list)
    for other in others:
        by_size[_size(other.path)].append(other)
    contents: dict[int, dict[bytes, Photo]] = {}
    kept, copies = [], []
    for photo in photos:
        size = _size(photo.path)
        if size in by_size and size not in contents:
            contents[size] = {_content(each.path): each for each in reversed(by_size[size])}
        same = contents[size].get(_content(photo.path)) if size in by_size else None
        if same:
            copies.append((photo, same))
        else:
            kept.append(photo)
    if copies:
        _tell(say, f"left out {counted(len(copies), 'picture')} {part}, copied from others: {{}} from {{}}", copies)
    if unlike := [(photo, same) for photo, same in copies if photo.label != same.label]:
        _tell(say, f"{counted(len(unlike), 'picture')} of these in two classes: {{}} and {{}}; correct one", unlike)
    return kept


def _tell(say: Say, text: str, pairs: Sequence[tuple[Photo, Photo]]) -> None:
    (one, other), *more = pairs
    say(text.format(one.path, other.path) + (", ..." if more else ""))


def _size(path: Path) -> int:
    """Bytes of a file that has some, else of none: a missing one is not a copy, and decoding will tell of it."""
    try:
        return path.stat().st_size
    except OSError:
        return -1


def _content(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return str(path).encode()
