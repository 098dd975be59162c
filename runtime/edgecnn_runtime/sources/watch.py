"""Pictures that appear in a folder."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG

from edgecnn_runtime.errors import ImageError, UsageError
from edgecnn_runtime.pipeline import Item
from edgecnn_runtime.sources import Source
from edgecnn_runtime.sources.folder import pictures

POLL_SECONDS = 0.2
"""How often one looks; of a large folder less often, so that looking takes a tenth of the time at most."""

SETTLED_SECONDS = 2.0
"""How long a file without an end mark must not have changed before it is taken to be whole."""

_ENDS = (b"\xff\xd9", b"\0\0\0\0IEND\xaeB`\x82")
"""What a whole JPEG and a whole PNG end with."""

# A file that is written again in place, or replaced, has another one.
_Stamp = tuple[int, int, int]


def watched(folder: str, recursive: bool = False) -> Source:
    """Pictures that appear in ``folder`` from now on; those that are there already are passed over.

    A picture is taken once it is whole: it did not change from one look to the next, and has its format's end mark
    or has not changed for two seconds. One that is written again is taken again.

    Raises:
        UsageError: there is no such folder.
    """
    if not Path(folder).is_dir():
        raise UsageError(f"{folder}: is not a folder; name one to watch")
    return Source(_appearing(folder, recursive, _stamps(folder, recursive)), live=True, film=True)


def _appearing(folder: str, recursive: bool, known: dict[str, _Stamp]) -> Iterator[Item]:
    changing: dict[str, tuple[_Stamp, float]] = {}
    while True:
        begun = time.monotonic()
        try:
            found = _stamps(folder, recursive)
        except ImageError:
            if not Path(folder).is_dir():
                raise
            continue  # a folder below vanished while it was listed; the next look is right again
        known = {path: stamp for path, stamp in known.items() if path in found}
        changing = {path: seen for path, seen in changing.items() if path in found}
        for path, stamp in sorted(found.items(), key=lambda each: (each[1][1], each[0])):
            if known.get(path) == stamp:
                changing.pop(path, None)
                continue
            before, since = changing.setdefault(path, (stamp, begun))
            if before != stamp:
                changing[path] = stamp, begun
            elif since < begun and (_has_end(path) or begun - since >= SETTLED_SECONDS):
                known[path] = stamp
                del changing[path]
                yield Item(path, path)
        time.sleep(max(POLL_SECONDS, 9 * (time.monotonic() - begun)))


def _stamps(folder: str, recursive: bool) -> dict[str, _Stamp]:
    """What tells that a picture is another one than before, of every one that has any bytes."""
    stamps = {}
    for path in pictures(folder, recursive):
        try:
            status = os.stat(path)  # noqa: PTH116 - often, and of many
        except OSError:  # gone again
            continue
        if status.st_size and S_ISREG(status.st_mode):
            stamps[path] = status.st_size, status.st_mtime_ns, status.st_ino
    return stamps


def _has_end(path: str) -> bool:
    try:
        with Path(path).open("rb") as file:
            file.seek(-min(12, file.seek(0, os.SEEK_END)), os.SEEK_END)
            return file.read().endswith(_ENDS)
    except OSError:
        return False
