"""Files of weights, read as numbers only: nothing in them is ever run."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgecnn_export import damage
from edgecnn_runtime.errors import DataError, first_line

SUFFIXES = (".h5", ".weights.h5", ".keras", ".npz")
_IN_KERAS_ARCHIVE = "model.weights.h5"


@dataclass(frozen=True)
class Weights:
    """Weights by layer.

    Attributes:
        layers: by name of the layer, its arrays (or HDF5 data sets, read when they are used), each by the name of the
            variable or, where the file does not say it, by its place among the layer's variables.
        in_order: whether the layers come in the network's own order.
    """

    layers: dict[str, dict[str, Any]]
    in_order: bool


@contextmanager
def opened(path: Path) -> Iterator[Weights]:
    """The weights in a file, which stays open meanwhile.

    Keras's older layout (``.h5``, the one of ``keras.applications``), its newer one (``.weights.h5``, and the same
    inside ``.keras``), or numpy's ``.npz`` with arrays called ``LAYER/VARIABLE``, as in ``conv1/kernel``.

    Raises:
        DataError: the file is missing, damaged, or none of these.
    """
    if not path.exists():
        raise DataError(f"the file of weights {path} does not exist")
    if not path.name.endswith(SUFFIXES):
        raise DataError(f"{path} is not a file of weights; expected one that ends in {', '.join(SUFFIXES)}")
    try:
        with ExitStack() as stack:
            weights = _read(path, stack)
            if not weights.layers:
                raise ValueError("it holds no weights")
            yield weights
    except (*damage.ARCHIVE, *damage.ARRAY, OSError, KeyError, AttributeError) as problem:
        raise DataError(f"{path} cannot be read as a file of weights ({first_line(problem)})") from None


def origin(path: Path) -> str:
    """Name and SHA-256 of a file, for the contract of what is made of it.

    Raises:
        DataError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as opened_file:
            while block := opened_file.read(2**20):
                digest.update(block)
    except OSError as problem:
        raise DataError(f"the file of weights {path} cannot be read ({problem.strerror})") from None
    return f"{path.name}, SHA-256 {digest.hexdigest()}"


def _read(path: Path, stack: ExitStack) -> Weights:
    import h5py

    if path.suffix == ".npz":
        numbers = stack.enter_context(path.open("rb"))  # numpy leaves its own open when the file is damaged
        return Weights(_by_variable(stack.enter_context(np.load(numbers, allow_pickle=False))), in_order=False)
    source: Any = path
    if path.suffix == ".keras":
        with zipfile.ZipFile(path) as archive:
            source = io.BytesIO(archive.read(_IN_KERAS_ARCHIVE))
    file = stack.enter_context(h5py.File(source, "r"))
    group = file.get("model_weights", file)
    if "layer_names" in group.attrs or "layer_names0" in group.attrs:
        return Weights(_older(group), in_order=True)
    return Weights(_newer(file, h5py), in_order=False)


def _by_variable(arrays: Any) -> dict[str, dict[str, Any]]:
    layers: dict[str, dict[str, Any]] = {}
    for key in arrays.files:
        layer, _, variable = key.removesuffix(":0").rpartition("/")
        if not layer:
            raise ValueError(f"its array {key!r} is not called LAYER/VARIABLE")
        layers.setdefault(layer, {})[variable] = arrays[key]
    return layers


def _older(group: Any) -> dict[str, dict[str, Any]]:
    layers = {}
    for name in _names(group, "layer_names"):
        arrays = [group[name][each] for each in _names(group[name], "weight_names")]
        if arrays:
            layers[name] = {str(index): array for index, array in enumerate(arrays)}
    return layers


def _names(group: Any, attribute: str) -> list[str]:
    """A list of names, which HDF5 has no room for in one attribute when it is long."""
    if attribute in group.attrs:
        parts = [group.attrs[attribute]]
    else:
        parts = []
        while f"{attribute}{len(parts)}" in group.attrs:
            parts.append(group.attrs[f"{attribute}{len(parts)}"])
    return [name.decode() if isinstance(name, bytes) else str(name) for part in parts for name in part]


def _newer(file: Any, h5py: Any) -> dict[str, dict[str, Any]]:
    layers: dict[str, dict[str, Any]] = {}

    def visit(path: str, group: Any) -> None:
        if path.endswith("/vars") and isinstance(group, h5py.Group):
            arrays = {key: each for key, each in group.items() if isinstance(each, h5py.Dataset)}
            if arrays and "seed_generator" not in path:
                layers[str(group.attrs["name"])] = arrays

    file.visititems(visit)
    return layers
