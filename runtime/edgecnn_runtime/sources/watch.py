"""Pictures that appear in a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
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
    """What a file has another one of, once it is written again in place or replaced.

    Its inode's number is left out: FAT, network shares and FUSE number files anew that nobody touched.

    Attributes:
        size: in bytes.
        changed: when its bytes were last written, in nanoseconds.
    """

    size: int
    changed: int


def watched(folder: str, recursive: bool = False) -> Source:
    """Pictures that appear in ``folder`` from now on; those that are there already are passed over.

    A picture is taken once it is whole: it did not change from one look to the next, and has its format's end mark
    or has not changed for two seconds. One that is written again is taken again. A folder below that cannot be listed
    is an error once, and is looked into when it can be.

    Raises:
        UsageError: there is no such folder.
        ImageError: it cannot be listed, or later on no more.
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
        new = watch.look()
        spent = time.monotonic() - begun
        yield from new
        time.sleep(pause(spent))


class _Watch:
    """What is known of a folder's pictures."""

    def __init__(self, folder: str, recursive: bool) -> None:
        self._folder, self._recursive = folder, recursive
        self._known, _ = self._listed()
        self._device = self._device_now()
        self._changing: dict[str, tuple[_Stamp, float]] = {}
        self._unreadable: set[str] = set()

    def look(self) -> list[Item]:
        """Folders that cannot be listed any more, and pictures that have become whole since, the oldest first."""
        now = time.monotonic()
        found, problems = self._listed()
        hidden = tuple(os.path.join(path, "") for path in problems)  # noqa: PTH118
        device = self._device_now()
        # Another device without any of them is the place of a disk that is away: it may come back with them.
        if device == self._device or not self._known.keys().isdisjoint(found):
            self._device = device
            self._known = {path: seen for path, seen in self._known.items() if path in found or path.startswith(hidden)}
        new = {path: stamp for path, stamp in found.items() if self._known.get(path) != stamp}
        self._changing = {
            path: seen if (seen := self._changing.get(path)) and seen[0] == stamp else (stamp, now)
            for path, stamp in new.items()
        }
        whole = [path for path, (_, since) in self._changing.items() if _is_whole(path, now - since)]
        self._known.update((path, new[path]) for path in whole)
        told, self._unreadable = self._unreadable, set(problems)
        failed = [Item(path, problem) for path, problem in problems.items() if path not in told]
        return failed + [Item(path, path) for path in sorted(whole, key=lambda path: (new[path].changed, path))]

    def _device_now(self) -> int:
        """The number of the file system that the folder is on; 0 where it is gone just now."""
        try:
            return os.stat(self._folder).st_dev  # noqa: PTH116
        except OSError:
            return 0

    def _listed(self) -> tuple[dict[str, _Stamp], dict[str, ImageError]]:
        """The pictures that are there, and the folders below that cannot be listed."""
        problems: dict[str, ImageError] = {}
        stamps = _stamps(pictures(self._folder, self._recursive, problems.__setitem__))
        if self._folder in problems:
            raise problems[self._folder]
        # One that vanished while it was listed is no problem.
        return stamps, {path: problem for path, problem in problems.items() if is_folder(path)}


def _is_whole(path: str, rested: float) -> bool:
    return rested > 0 and (rested >= SETTLED_SECONDS or _has_end(path))


def _stamps(paths: Iterable[str]) -> dict[str, _Stamp]:
    """Those of the files that have any bytes."""
    stamps = {}
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - often, and of many
        except OSError:  # gone again
            continue
        if status.st_size and S_ISREG(status.st_mode):
            stamps[path] = _Stamp(status.st_size, status.st_mtime_ns)
    return stamps


def _has_end(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            file.seek(-min(12, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read().endswith(_ENDS)
    except OSError:
        return False
