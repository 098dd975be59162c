"""Calibration images from a folder of pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgecnn_export import pictures
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError
from edgecnn_runtime.image import pixels

MOST = 500
FEWEST = 20


def from_folder(folder: Path, spec: InputSpec) -> Dataset:
    """Up to 500 pictures from ``folder`` and those below it, spread evenly over their sorted names.

    They are decoded and resized just as the device will do it. Labels are not needed and are all 0.

    Raises:
        DataError: the folder does not exist or holds fewer than 20 pictures.
        ImageError: a picture cannot be read.
    """
    if not folder.is_dir():
        raise DataError(f"the calibration folder {folder} does not exist")
    paths = pictures.below(folder)
    if len(paths) < FEWEST:
        raise DataError(
            f"{folder} holds {len(paths)} pictures; calibration needs at least {FEWEST} that look like what the "
            "device will see"
        )
    chosen = [paths[index] for index in np.linspace(0, len(paths) - 1, min(MOST, len(paths))).astype(int)]
    images = np.stack([pixels(path, spec) for path in chosen])
    return Dataset(folder.name, images, np.zeros(len(images), np.int64), ("unlabelled",))
