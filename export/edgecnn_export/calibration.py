"""Images from a folder of pictures whose labels are not known: to calibrate, and to compare."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgecnn_export.dataset import Dataset
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError
from edgecnn_runtime.image import pixels
from edgecnn_runtime.sources.folder import pictures

MOST = 500
MOST_LARGE = 100
FEWEST = 20
_LARGE = 64 * 64


def enough(spec: InputSpec) -> int:
    """How many pictures set the ranges: 500, or 100 of more than 64 x 64 pixels.

    The range of a layer is found over all places of a picture, and 100 pictures of 224 x 224 have ten times as many
    as 500 of 32 x 32.
    """
    return MOST if spec.height * spec.width <= _LARGE else MOST_LARGE


def from_folder(folder: Path, spec: InputSpec) -> Dataset:
    """Pictures from ``folder`` and those below it, spread evenly over their sorted names, where :func:`enough` are.

    They are decoded and resized just as the device will do it.

    Raises:
        DataError: the folder does not exist or holds fewer than 20 pictures.
        ImageError: a picture cannot be read.
    """
    paths = _below(folder, FEWEST, "calibration needs")
    return _spread(_name(folder), paths, spec, ())


def halves(folder: Path, spec: InputSpec, label_names: tuple[str, ...]) -> tuple[Dataset, Dataset]:
    """The pictures in ``folder`` and below it as two sets without a common picture: to calibrate, and to compare.

    Every second of their sorted names is for one, the others for the other; of each, as many as :func:`from_folder`.

    Args:
        folder: the folder.
        spec: how a picture becomes the input.
        label_names: of the classes that the model tells apart.

    Raises:
        DataError: the folder does not exist or holds fewer than 40 pictures.
        ImageError: a picture cannot be read.
    """
    paths = _below(folder, 2 * FEWEST, "calibration and comparison need")
    calibration = _spread(f"{_name(folder)}/calibration", paths[::2], spec, label_names)
    return calibration, _spread(f"{_name(folder)}/comparison", paths[1::2], spec, label_names)


def _name(folder: Path) -> str:
    """Of a folder that is there; ``.`` has one too."""
    return folder.resolve().name


def _below(folder: Path, fewest: int, purpose: str) -> list[Path]:
    if not folder.is_dir():
        raise DataError(f"the calibration folder {folder} does not exist")
    paths = [Path(path) for path in pictures(folder)]
    if len(paths) < fewest:
        raise DataError(
            f"{folder} holds {len(paths)} pictures; {purpose} at least {fewest} that look like what the device will see"
        )
    return paths


def _spread(name: str, paths: list[Path], spec: InputSpec, label_names: tuple[str, ...]) -> Dataset:
    count = min(enough(spec), len(paths))
    chosen = [paths[index] for index in np.linspace(0, len(paths) - 1, count).astype(int)]
    images = np.stack([pixels(path, spec) for path in chosen])
    return Dataset(name, images, np.full(len(images), -1, np.int64), label_names)
