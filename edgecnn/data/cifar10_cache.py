"""CIFAR-10 as four checked .npy files in a folder of its own."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from edgecnn_export import damage
from edgecnn_runtime.errors import DataError

Arrays = dict[str, npt.NDArray[np.uint8]]

# Over the uint8 bytes in C order, images NHWC, everything in the order of the original batches.
SHA256 = {
    "x_train": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "y_train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "x_test": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "y_test": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}

# Not numpy.load, which also opens zip archives and then returns something else than an array.
_read_array: Callable[..., npt.NDArray[np.uint8]] = np.lib.format.read_array


def check(arrays: Arrays, origin: str, remedy: str) -> None:
    """Compare every array with the published content.

    Args:
        arrays: x_train, y_train, x_test and y_test.
        origin: what to name when an array differs.
        remedy: what to do then.

    Raises:
        DataError: an array is not, byte for byte, the original.
    """
    for name, expected in SHA256.items():
        array = arrays[name]
        # The sum covers bytes only: the same bytes in another shape would pass it.
        shape = (len(array), 32, 32, 3) if name.startswith("x") else (len(array),)
        digest = hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
        if array.dtype != np.uint8 or array.shape != shape or digest != expected:
            raise DataError(f"{origin} is not the original CIFAR-10: {name} differs; {remedy}")


def read(folder: Path, command: str) -> Arrays:
    """Read and check the four arrays: images (N, 32, 32, 3), labels (N,), all uint8.

    Args:
        folder: where they lie.
        command: what fetches them there.

    Raises:
        OSError: a file is not there or cannot be read.
        DataError: a file is damaged or altered.
    """
    remedy = f"fetch it again with: {command}"
    try:
        arrays = {name: _load(folder / f"{name}.npy") for name in SHA256}
        check(arrays, str(folder), remedy)
    except damage.ARRAY as problem:
        raise DataError(f"{folder} is damaged; {remedy}") from problem
    return arrays


def _load(path: Path) -> npt.NDArray[np.uint8]:
    with path.open("rb") as file:
        return _read_array(file, allow_pickle=False)


def write(arrays: Arrays, folder: Path, origin: str) -> None:
    """Check the arrays, then put them at ``folder`` in one step: all of them, or none.

    Raises:
        DataError: an array differs from the original, or the folder cannot be written.
    """
    check(arrays, origin, "use another copy")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # A neighbour of the folder, because only a rename within one file system is a single step.
        with TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as temporary:
            fresh = Path(temporary, "fresh")
            fresh.mkdir()
            for name in SHA256:
                _save(fresh / f"{name}.npy", arrays[name])
            if folder.exists():
                folder.rename(Path(temporary, "old"))
            fresh.rename(folder)
    except OSError as problem:
        raise DataError(f"cannot write {folder}: {problem.strerror}; choose another with --data") from problem


def _save(path: Path, array: npt.NDArray[np.uint8]) -> None:
    with path.open("wb") as file:
        np.save(file, array, allow_pickle=False)
        # Without this a power cut after the rename could leave an empty file under the final name.
        file.flush()
        os.fsync(file.fileno())
