"""A file that Keras saved, of version 2 or 3, as a model."""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgecnn.importing.keras2 import modern
from edgecnn_export import damage, keras_file
from edgecnn_runtime.errors import ExportError, first_line
from edgecnn_runtime.quiet import unwarned

if TYPE_CHECKING:
    import keras

_HDF5 = (".h5", ".hdf5")
_CONFIG, _METADATA = "config.json", "metadata.json"


def load(path: Path) -> keras.Model:
    """The model in a ``.keras`` or a whole-model ``.h5`` file; nothing in it is run but layers of Keras's own.

    Raises:
        ExportError: the file is missing, damaged, of another kind, or has layers that Keras 3 does not know.
    """
    if not path.exists():
        raise ExportError(f"{path} does not exist; expected a .keras or .h5 file that Keras saved")
    if path.is_dir() or path.suffix not in (".keras", *_HDF5):
        raise ExportError(
            f"{path} is not a .keras or .h5 file; with the program that made it, save the model as one: "
            'model.save("model.keras")'
        )
    with TemporaryDirectory() as folder, unwarned:
        copy = Path(folder, f"model{path.suffix}")
        try:
            old = _modern_hdf5(path, copy) if path.suffix in _HDF5 else _modern_archive(path, copy)
        except ExportError:
            raise
        except (*damage.ARCHIVE, OSError, KeyError, ValueError, TypeError) as problem:
            raise ExportError(f"{path} is not a model that Keras saved ({first_line(problem)})") from None
        return keras_file.rebuild(copy if old else path, path)


def digest(path: Path) -> str:
    """SHA-256 of the file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _modern_archive(path: Path, copy: Path) -> bool:
    """Write a copy in Keras 3's words of an archive by Keras 2; False, and no copy, where it is not one."""
    with zipfile.ZipFile(path) as archive:
        if not str(json.loads(archive.read(_METADATA))["keras_version"]).startswith("2."):
            return False
        members = {name: archive.read(name) for name in archive.namelist()}
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
