"""Pictures that appear in a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from stat import S_ISREG

from edgecnn_runtime.errors import ImageError, UsageError
from edgecnn_runtime.pipeline import Item
from edgecnn_runtime.sources import Source
from edgecnn_runtime.sources.folder import is_folder, pictures
from edgecnn_runtime.stamp import Stamp

POLL_SECONDS = 0.2
"""How often one looks; of a large folder less often, so that looking takes a tenth of the time at most."""

SETTLED_SECONDS = 2.0
"""How long a file without an end mark must not have changed before it is taken to be whole."""

EMPTY_SECONDS = 10.0
"""How long an empty file must not have changed: many programs and network folders make a file before they fill it."""

_ENDS = (b"\xff\xd9", b"\0\0\0\0IEND\xaeB`\x82")
"""What a whole JPEG and a whole PNG end with."""


def watched(folder: str, recursive: bool = False) -> Source:
    """Pictures that appear in ``folder`` from now on; those that are there already are passed over.

    A picture is taken once it is whole: it did not change from one look to the next, and has its format's end mark
    or has not changed for two seconds, an empty file for ten. One that is written again is taken again. A folder below
    that cannot be listed is an error once, and is looked into when it can be.

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
    """What is known of a folder's pictures.

    A disk that goes away leaves the folder of another file system in its place. What is known is kept by the file
    system's number, so that it is still known when the disk comes back, under another number too.
    """

    def __init__(self, folder: str, recursive: bool) -> None:
        self._folder, self._recursive = folder, recursive
        found, _ = self._listed()
        self._known: dict[int, dict[str, Stamp]] = {self._device(): found}
        self._changing: dict[str, tuple[Stamp, float]] = {}
        self._unreadable: set[str] = set()

    def look(self) -> list[Item]:
        """Folders that cannot be listed any more, and pictures that have become whole since, the oldest first."""
        now = time.monotonic()
        found, problems = self._listed()
        hidden = tuple(os.path.join(path, "") for path in problems)  # noqa: PTH118
        known = self._known_here(found, hidden)
        new = {path: stamp for path, stamp in found.items() if known.get(path) != stamp}
        self._changing = {
            path: seen if (seen := self._changing.get(path)) and seen[0] == stamp else (stamp, now)
            for path, stamp in new.items()
        }
        whole = [path for path, (stamp, since) in self._changing.items() if _is_whole(path, stamp, now - since)]
        known.update((path, new[path]) for path in whole)
        told, self._unreadable = self._unreadable, set(problems)
        failed = [Item(path, problem) for path, problem in problems.items() if path not in told]
        return failed + [Item(path, path) for path in sorted(whole, key=lambda path: (new[path].changed, path))]

    def _known_here(self, found: dict[str, Stamp], hidden: tuple[str, ...]) -> dict[str, Stamp]:
        """What is known on this file system, without what is gone from it."""
        device = self._device()
        here = self._known.pop(device, {})
        here = {path: stamp for path, stamp in here.items() if path in found or path.startswith(hidden)}
        for elsewhere in self._known.values():
            for path in [path for path, stamp in elsewhere.items() if found.get(path) == stamp]:
                here[path] = elsewhere.pop(path)
        self._known = {number: each for number, each in self._known.items() if each} | {device: here}
        return here

    def _device(self) -> int:
        """The number of the file system that the folder is on; 0 where it is gone just now."""
        try:
            return os.stat(self._folder).st_dev  # noqa: PTH116
        except OSError:
            return 0

    def _listed(self) -> tuple[dict[str, Stamp], dict[str, ImageError]]:
        """The pictures that are there, and the folders below that cannot be listed."""
        problems: dict[str, ImageError] = {}
        stamps = _stamps(pictures(self._folder, self._recursive, problems.__setitem__))
        if self._folder in problems:
            raise problems[self._folder]
        # One that vanished while it was listed is no problem.
        return stamps, {path: problem for path, problem in problems.items() if is_folder(path)}


def _is_whole(path: str, stamp: Stamp, rested: float) -> bool:
    if not stamp.size:
        return rested >= EMPTY_SECONDS
    return rested > 0 and (rested >= SETTLED_SECONDS or _has_end(path))


def _stamps(paths: Iterable[str]) -> dict[str, Stamp]:
    """Those of the regular files: of a pipe or a device nothing may be read."""
    stamps = {}
    for path in paths:
        try:
            status = os.stat(path)  # noqa: PTH116 - often, and of many
        except OSError:  # gone again
            continue
        if S_ISREG(status.st_mode):
            stamps[path] = Stamp.of(status)
    return stamps


def _has_end(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            file.seek(-min(12, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read().endswith(_ENDS)
    except OSError:
        return False
