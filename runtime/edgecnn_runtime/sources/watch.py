"""Pictures that appear in a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

from edgecnn_runtime.errors import ImageError, UsageError
from edgecnn_runtime.pipeline import Item
from edgecnn_runtime.sources import Source
from edgecnn_runtime.sources.folder import is_folder, pictures

POLL_SECONDS = 0.2
"""How often one looks; of a large folder less often, so that looking takes a tenth of the time at most."""

SETTLED_SECONDS = 2.0
"""How long a file without an end mark must not have changed before it is taken to be whole."""

_ENDS = (b"\xff\xd9", b"\0\0\0\0IEND\xaeB`\x82")
"""What a whole JPEG and a whole PNG end with."""


class _Stamp(NamedTuple):
    """What a file has another one of, once it is written again in place or replaced."""

    size: int
    changed: int
    number: int


def watched(folder: str, recursive: bool = False) -> Source:
    """Pictures that appear in ``folder`` from now on; those that are there already are passed over.

    A picture is taken once it is whole: it did not change from one look to the next, and has its format's end mark
    or has not changed for two seconds. One that is written again is taken again.

    Raises:
        UsageError: there is no such folder.
        ImageError: it cannot be listed; later on, it is gone.
    """
    if not is_folder(folder):
        raise UsageError(f"{folder}: is not a folder; name one to watch")
    return Source(_appearing(_Watch(folder, recursive)), live=True, film=True)


def pause(spent: float) -> float:
    """Seconds until the next look, after one that took ``spent``."""
    return max(POLL_SECONDS, 9 * spent)


def _appearing(watch: _Watch) -> Iterator[Item]:
    while True:
        begun = time.monotonic()
        whole = watch.look()
        spent = time.monotonic() - begun
        yield from (Item(path, path) for path in whole)
        time.sleep(pause(spent))


class _Watch:
    """What is known of a folder's pictures."""

    def __init__(self, folder: str, recursive: bool) -> None:
        self._folder, self._recursive = folder, recursive
        self._known = _stamps(folder, recursive)
        self._changing: dict[str, tuple[_Stamp, float]] = {}

    def look(self) -> list[str]:
        """Pictures that have become whole since the last look, the oldest first."""
        now = time.monotonic()
        try:
            found = _stamps(self._folder, self._recursive)
        except ImageError:
            if not is_folder(self._folder):
                raise
            return []  # a folder below vanished while it was listed; the next look is right again
        self._known = {path: stamp for path, stamp in self._known.items() if path in found}
        new = {path: stamp for path, stamp in found.items() if self._known.get(path) != stamp}
        self._changing = {
            path: seen if (seen := self._changing.get(path)) and seen[0] == stamp else (stamp, now)
            for path, stamp in new.items()
        }
        whole = [path for path, (_, since) in self._changing.items() if _is_whole(path, now - since)]
        self._known.update((path, new[path]) for path in whole)
        return sorted(whole, key=lambda path: (new[path].changed, path))


def _is_whole(path: str, rested: float) -> bool:
    return rested > 0 and (rested >= SETTLED_SECONDS or _has_end(path))


def _stamps(folder: str, recursive: bool) -> dict[str, _Stamp]:
    """The pictures that have any bytes."""
    stamps = {}
    for path in pictures(folder, recursive):
        try:
            status = os.stat(path)  # noqa: PTH116 - often, and of many
        except OSError:  # gone again
            continue
        if status.st_size and S_ISREG(status.st_mode):
            stamps[path] = _Stamp(status.st_size, status.st_mtime_ns, status.st_ino)
    return stamps


def _has_end(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            file.seek(-min(12, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read().endswith(_ENDS)
    except OSError:
        return False
