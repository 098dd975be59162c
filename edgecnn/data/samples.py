"""The CIFAR-10 images that come with the package: enough to calibrate and compare without a download.

Each part is a lossless WebP sheet and a JSON file of labels and of positions in the original set. They were
drawn from a fixed seed by ``benchmarks/draw_samples.py``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecnn.data.cifar10 import LABEL_NAMES
from edgecnn_export.dataset import Dataset
from edgecnn_runtime import sheet

FOLDER = Path(__file__).with_name("samples")
TEST = "test-1000"
CALIBRATION = "train-500"


def test() -> Dataset:
    """1,000 of the 10,000 test images, 100 a class."""
    return _read(TEST)


def calibration() -> Dataset:
    """500 training images, 50 a class, none of them a validation image."""
    return _read(CALIBRATION)


def positions(part: str) -> npt.NDArray[np.int64]:
    """Where the images of ``TEST`` or ``CALIBRATION`` stand in the original test or training set, shape (N,)."""
    return np.array(_listing(part)["positions"], np.int64)


def _read(part: str) -> Dataset:
    labels = np.array(_listing(part)["labels"], np.int64)
    images = sheet.unpack((FOLDER / f"{part}.webp").read_bytes(), len(labels), 32, 32)
    return Dataset(f"cifar10/{part}", images, labels, LABEL_NAMES)


def _listing(part: str) -> dict[str, Any]:
    listing: dict[str, Any] = json.loads((FOLDER / f"{part}.json").read_text())
    return listing
