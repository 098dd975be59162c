"""Photographs decoded once: all cores read the pictures, and their pixels stay in a file that is mapped, not loaded.

A photo set may so be larger than the memory, and a second run, like a second epoch, decodes nothing.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL

from edgecnn.data.folder import data_folder
from edgecnn_export.dataset import Images
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError, ImageError
from edgecnn_runtime.image import ENOUGH, pixels
from edgecnn_runtime.threads import cores

# Called with one line about a picture that is skipped.
Say = Callable[[str], None]
# Called with the number of pictures that are decoded, and of all.
Progress = Callable[[int, int], None]

FOLDER = "decoded-photos"
"""Of the data folder: a name that nobody gives a folder of photographs there."""

MOST_DAMAGED = 0.05
_BLOCK = 128
_ABANDONED_SECONDS = 24 * 3600.0
_PIXELS, _ABOUT = "pixels.u8", "about.json"


def read(
    paths: Sequence[Path],
    spec: InputSpec,
    origin: str,
    say: Say,
    progress: Progress,
    workers: int | None = None,
) -> tuple[Images, npt.NDArray[np.int64]]:
    """Pictures as the network takes them, decoded if that was not done before.

    The pixels lie in ``decoded-photos/`` in the data folder, one folder for each origin and input size. They are
    decoded anew when a path, a file's size or time, the resize rule, or Pillow, whose JPEG decoder may change in the
    last bit, is another one, or when a damaged picture can be read after all, of which its disk may have been the
    cause; what was there before is then removed.

    Args:
        paths: the picture files, at least one.
        spec: size and resize rule.
        origin: where the pictures come from, one name for one list of paths.
        say: told of each damaged picture.
        progress: told how far the decoding is.
        workers: threads; otherwise one for each core. Pillow decodes and resizes outside the interpreter's lock, and
            threads need no start-up of their own: they were faster than processes.

    Returns:
        The pixels of the readable pictures, shape (N, height, width, 3), mapped read-only; and their indices in
        ``paths``, ascending.

    Raises:
        DataError: more than 5 % of the pictures, and more than one, are damaged; or the cache cannot be written.
    """
    place = hashlib.sha256(json.dumps([origin, asdict(spec)]).encode()).hexdigest()[:16]
    entry = data_folder() / FOLDER / place
    key = _key(paths, spec)
    try:
        found = _mapped(entry, key, len(paths), spec)
        if found is None or not all(isinstance(_decoded(paths[index], spec), str) for index in found[1]):
            return _write(entry, key, paths, spec, say, progress, workers)
        images, damaged = found
        _list(damaged, say)
        return images, _kept(damaged, len(paths))
    except OSError as problem:
        needed = len(paths) * spec.height * spec.width * 3 / 1e9
        raise DataError(
            f"cannot keep {needed:.1f} GB of decoded pictures in {entry} ({problem.strerror}); "
            "set EDGECNN_DATA to another folder"
        ) from None


def _key(paths: Sequence[Path], spec: InputSpec) -> str:
    digest = hashlib.sha256(json.dumps([PIL.__version__, ENOUGH, asdict(spec)]).encode())
    for path in paths:
        try:
            found = path.stat()
            state = (found.st_size, found.st_mtime_ns)
        except OSError:  # gone, or a link to nowhere: decoding will say so
            state = (-1, -1)
        digest.update(os.fsencode(path.absolute()) + b"\0%d %d\n" % state)
    return digest.hexdigest()


def _mapped(entry: Path, key: str, count: int, spec: InputSpec) -> tuple[Images, dict[int, str]] | None:
    """A finished entry's pixels, and its damaged pictures, index and complaint; None if there is no such entry."""
    try:
        about = json.loads((entry / _ABOUT).read_text())
        damaged = {int(index): str(complaint) for index, complaint in about["damaged"].items()}
        if about["key"] != key:
            return None
        size = (entry / _PIXELS).stat().st_size
        if size != (count - len(damaged)) * spec.height * spec.width * 3:
            return None
        return _map(entry / _PIXELS, count - len(damaged), spec), damaged
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None


def _map(file: Path, count: int, spec: InputSpec) -> Images:
    return np.memmap(file, np.uint8, "r", shape=(count, spec.height, spec.width, 3))


def _kept(damaged: dict[int, str], count: int) -> npt.NDArray[np.int64]:
    return np.setdiff1d(np.arange(count), np.array(list(damaged), np.int64))


def _write(
    entry: Path,
    key: str,
    paths: Sequence[Path],
    spec: InputSpec,
    say: Say,
    progress: Progress,
    workers: int | None,
) -> tuple[Images, npt.NDArray[np.int64]]:
    entry.parent.mkdir(parents=True, exist_ok=True)
    _clear(entry.parent)
    # A neighbour of the entry, because only a rename within one file system is a single step.
    with TemporaryDirectory(prefix=f".{entry.name}-", dir=entry.parent) as temporary:
        fresh = Path(temporary, "fresh")
        fresh.mkdir()
        damaged = _decode(fresh / _PIXELS, paths, spec, progress, workers)
        _list(damaged, say)
        if len(damaged) > max(1, MOST_DAMAGED * len(paths)) or len(damaged) == len(paths):
            raise DataError(
                f"{len(damaged)} of {len(paths):,} pictures are damaged, more than {MOST_DAMAGED:.0%}; "
                "repair or remove those listed above"
            )
        (fresh / _ABOUT).write_text(json.dumps({"key": key, "damaged": damaged}))
        kept = _kept(damaged, len(paths))
        # Mapped before it has its name: another process that decodes the same may take it away again.
        images = _map(fresh / _PIXELS, len(kept), spec)
        _place(fresh, entry, Path(temporary, "old"))
    return images, kept


def _clear(folder: Path) -> None:
    """Remove what killed processes left half decoded: another one, of another machine perhaps, may be at work."""
    for unfinished in folder.glob(".*-*"):
        with suppress(OSError):
            latest = max(path.stat().st_mtime for path in (unfinished, *unfinished.rglob("*")))
            if time.time() - latest > _ABANDONED_SECONDS:
                shutil.rmtree(unfinished)


def _place(fresh: Path, entry: Path, old: Path) -> None:
    """Give a finished entry its name. Of several processes that do so at once, one entry stays, whole."""
    with suppress(FileNotFoundError):
        entry.rename(old)
    try:
        fresh.rename(entry)
    except OSError as problem:
        if problem.errno not in (errno.ENOTEMPTY, errno.EEXIST):  # the other was faster
            raise


def _decode(
    target: Path, paths: Sequence[Path], spec: InputSpec, progress: Progress, workers: int | None
) -> dict[int, str]:
    """Write the pixels to ``target``, one picture after the other, and return the damaged ones."""
    decode = partial(_decoded, spec=spec)
    damaged = {}
    with target.open("wb") as file, ThreadPoolExecutor(workers or cores()) as pool:
        for start in range(0, len(paths), _BLOCK):
            for index, decoded in enumerate(pool.map(decode, paths[start : start + _BLOCK]), start):
                if isinstance(decoded, str):
                    damaged[index] = decoded
                else:
                    file.write(decoded)
            progress(min(start + _BLOCK, len(paths)), len(paths))
        file.flush()
        # Without this a power cut after the rename could leave an empty file under the final name.
        os.fsync(file.fileno())
    return damaged


def _decoded(path: Path, spec: InputSpec) -> Any:
    """The picture's pixels, or what is wrong with it, in words."""
    try:
        return pixels(path, spec)
    except ImageError as problem:
        return str(problem)


def _list(damaged: dict[int, str], say: Say) -> None:
    for complaint in damaged.values():
        say(f"skipped {complaint}")
