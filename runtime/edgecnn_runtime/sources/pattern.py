"""Which paths a pattern means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from glob import escape, glob

from edgecnn_runtime.sources.folder import is_folder

ANY_DEPTH = "**"


def matching(pattern: str) -> list[str]:
    """The paths that fit, in the order of their names; hidden ones only where the pattern names the dot.

    As the last part ``**`` means the folder and all below it. Unlike Python's own it enters no links to folders, which
    may lead in a circle, and finds none.
    """
    return sorted(set(_matching(pattern)))


def _matching(pattern: str) -> Iterator[str]:
    parts = pattern.split("/")
    if ANY_DEPTH not in parts:
        yield from glob(pattern)  # noqa: PTH207 - Path.glob takes no absolute pattern
        return
    at = parts.index(ANY_DEPTH)
    above, below = "/".join(parts[:at]), "/".join(parts[at + 1 :])
    for top in glob(above or "/") if at else [""]:  # noqa: PTH207
        for folder in _folders(top):
            if below:
                found = _matching(os.path.join(escape(folder), below))  # noqa: PTH118
                yield from (path for path in found if not (os.path.islink(path) and is_folder(path)))  # noqa: PTH114
            else:
                yield folder or os.curdir


def _folders(top: str) -> Iterator[str]:
    """A folder and all below it that are neither hidden nor links; the current one is the empty word."""
    for path, names, _ in os.walk(top or os.curdir):
        names[:] = [name for name in names if not name.startswith(".")]
        yield path if top else path[2:]
