"""A file that Keras saved, of version 2 or 3, as a model."""

from __future__ import annotations

import errno
import json
import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import TYPE_CHECKING

from edgecnn.importing.keras2 import modern
from edgecnn_export import damage, keras_file
from edgecnn_runtime.errors import ExportError, first_line
from edgecnn_runtime.quiet import unwarned

if TYPE_CHECKING:
    import keras

_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_BEGINNINGS = {b"PK\x03\x04": ".keras", b"\x89HDF": ".h5"}
"""How the files begin, whatever they are called: Keras goes by the name."""

_MOST_WEIGHTS = 4
"""Weights take so many times the room of the archive at most, or they are not what they seem: they hardly compress."""

_MOST_CONFIG = 2**26


def load(path: Path) -> keras.Model:
    """The model in a ``.keras`` or a whole-model ``.h5`` file; nothing in it is run but layers of Keras's own.

    Raises:
        ExportError: the file is missing, damaged, of another kind, or has layers that Keras 3 does not know.
    """
    try:
        return _load(path, _kind(path))
    except (*damage.ARCHIVE, OSError, LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as problem:
        if isinstance(problem, OSError) and problem.errno == errno.ENOSPC:
            raise ExportError(f"{gettempdir()} is full; make room there, or set TMPDIR to another folder") from None
        raise ExportError(f"{path} is not a model that Keras saved ({first_line(problem)})") from None


def _kind(path: Path) -> str:
    if not path.exists():
        raise ExportError(f"{path} does not exist; expected a .keras or .h5 file that Keras saved")
    kind = None
    if path.is_file():
        with path.open("rb") as file:
            kind = _BEGINNINGS.get(file.read(4))
    if kind is None:
        raise ExportError(
            f"{path} is not a .keras or .h5 file that Keras saved; with the program that made it, save the model as "
            'one: model.save("model.keras")'
        )
    return kind


def _load(path: Path, kind: str) -> keras.Model:
    with TemporaryDirectory() as folder, unwarned:
        copy = Path(folder, f"model{kind}")
        made = _modern_hdf5(path, copy) if kind == ".h5" else _modern_archive(path, copy)
        if not made and path.suffix != kind:
            shutil.copyfile(path, copy)
            made = True
        return keras_file.rebuild(copy if made else path, path)


def _modern_archive(path: Path, copy: Path) -> bool:
    """Write a copy in Keras 3's words of an archive by Keras 2; False, and no copy, where it is not one."""
    with zipfile.ZipFile(path) as archive:
        if not str(json.loads(archive.read(_METADATA))["keras_version"]).startswith("2."):
            return False
        room = {name: archive.getinfo(name).file_size for name in (_CONFIG, _WEIGHTS)}
        if room[_CONFIG] > _MOST_CONFIG or room[_WEIGHTS] > _MOST_WEIGHTS * path.stat().st_size + _MOST_CONFIG:
            raise ValueError("its parts are larger than a model's")
        members = {name: archive.read(name) for name in (_METADATA, _CONFIG, _WEIGHTS)}
    keras_file.write(copy, members | {_CONFIG: json.dumps(modern(json.loads(members[_CONFIG]))).encode()})
    return True


def _modern_hdf5(path: Path, copy: Path) -> bool:
    """Likewise of an HDF5 file, where Keras 3 itself writes what Keras 2 did, but for the options of its layers."""
    import h5py

    with h5py.File(path) as file:
        if "model_config" not in file.attrs:
            raise ExportError(
                f"{path} holds weights alone; save the whole model, by model.save({path.name!r}) and not save_weights"
            )
        config = json.loads(file.attrs["model_config"])
        if str(file.attrs.get("keras_version", "2.")).startswith("3."):
            return False
    shutil.copyfile(path, copy)
    with h5py.File(copy, "r+") as file:
        file.attrs["model_config"] = json.dumps(modern(config))
    return True
