"""Photographs decoded once: all cores read the pictures, and their pixels stay in a file that is mapped, not loaded.

A photo set may so be larger than the memory, and a second run, like a second epoch, decodes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
import PIL

from edgecnn.data.cifar10 import data_folder
from edgecnn_export.dataset import Images
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError, ImageError
from edgecnn_runtime.image import ENOUGH, pixels

# Called with one line about a picture that is skipped.
Say = Callable[[str], None]
# Called with the number of pictures that are decoded, and of all.
Progress = Callable[[int, int], None]

MOST_DAMAGED = 0.05
_BLOCK = 128
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

    The pixels lie in ``photos/`` in the data folder, one folder for each origin and input size. They are decoded
    anew when a path, a file's size or time, the resize rule, or Pillow, whose JPEG decoder may change in the last
    bit, is another one; what was there before is then removed.

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
    entry = data_folder() / "photos" / place
    key = _key(paths, spec)
    damaged = _damaged(entry, key, len(paths), spec)
    try:
        if damaged is None:
            damaged = _write(entry, key, paths, spec, say, progress, workers)
        else:
            _list(damaged, say)
        kept = np.setdiff1d(np.arange(len(paths)), np.array(list(damaged), np.int64))
        return np.memmap(entry / _PIXELS, np.uint8, "r", shape=(len(kept), spec.height, spec.width, 3)), kept
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


def _damaged(entry: Path, key: str, count: int, spec: InputSpec) -> dict[int, str] | None:
    """The damaged pictures of a finished entry, index and complaint; None if there is no such entry."""
    try:
        about = json.loads((entry / _ABOUT).read_text())
        size = (entry / _PIXELS).stat().st_size
        damaged = {int(index): str(complaint) for index, complaint in about["damaged"].items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return None
    whole = size == (count - len(damaged)) * spec.height * spec.width * 3
    return damaged if about["key"] == key and whole else None


def _write(
    entry: Path,
    key: str,
    paths: Sequence[Path],
    spec: InputSpec,
    say: Say,
    progress: Progress,
    workers: int | None,
) -> dict[int, str]:
    entry.parent.mkdir(parents=True, exist_ok=True)
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
        if entry.exists():
            entry.rename(Path(temporary, "old"))
        fresh.rename(entry)
    return damaged


def _decode(
    target: Path, paths: Sequence[Path], spec: InputSpec, progress: Progress, workers: int | None
) -> dict[int, str]:
    """Write the pixels to ``target``, one picture after the other, and return the damaged ones."""

    def decode(path: Path) -> Any:
        try:
            return pixels(path, spec)
        except ImageError as problem:
            return str(problem)

    damaged = {}
    with target.open("wb") as file, ThreadPoolExecutor(workers or os.cpu_count()) as pool:
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


def _list(damaged: dict[int, str], say: Say) -> None:
    for complaint in damaged.values():
        say(f"skipped {complaint}")
