"""CIFAR-10: 60,000 colour pictures of 32 x 32 pixels in ten classes.

Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009,
https://www.cs.toronto.edu/~kriz/learning-features-2009-TR.pdf
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from edgecnn.data import cifar10_cache
from edgecnn.data.folder import data_folder
from edgecnn_export.dataset import Dataset, Labels, stratified_indices
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError

LABEL_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

VALIDATION_PER_CLASS = 500
SPLIT_SEED = 10


@dataclass(frozen=True, eq=False)
class Cifar10:
    """The whole set as published: ``train`` has 50,000 images, ``test`` 10,000, both balanced."""

    train: Dataset
    test: Dataset

    def split(self) -> tuple[Dataset, Dataset]:
        """Divide ``train`` into 45,000 images to learn from and 5,000 (500 a class) to choose by.

        The division is always the same, so that runs compare and the test images stay out of every choice.
        """
        learning, validation = split_indices(self.train.labels)
        return (
            self.train.subset(f"cifar10/train-{len(learning)}", learning),
            self.train.subset(f"cifar10/validation-{len(validation)}", validation),
        )


def fits(spec: InputSpec, labels: tuple[str, ...]) -> bool:
    """Whether a network that takes such pictures and has these labels was trained on this set."""
    return (spec.height, spec.width) == (32, 32) and labels == LABEL_NAMES


def split_indices(labels: Labels) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Indices of the images to learn from and of those to validate on, shape (N,) each, ascending."""
    validation = stratified_indices(labels, VALIDATION_PER_CLASS, SPLIT_SEED)
    return np.setdiff1d(np.arange(len(labels)), validation), validation


def cache_folder(folder: Path | None = None) -> Path:
    """Where CIFAR-10 lies, or will lie, in the data folder."""
    return data_folder(folder) / "cifar10"


def fetch_command(folder: Path | None) -> str:
    """What fetches the set into that data folder, as it is typed."""
    return "edgecnn data cifar10" + (f" --data {shlex.quote(str(folder))}" if folder else "")


def load(folder: Path | None = None) -> Cifar10:
    """Load the cached set and check that it is the original, byte for byte (well under a second).

    Args:
        folder: the data folder; without one, ``data_folder()``.

    Raises:
        DataError: the set is not there, cannot be read, or is not the original.
    """
    cache = cache_folder(folder)
    command = fetch_command(folder)
    try:
        arrays = cifar10_cache.read(cache, command)
    except (FileNotFoundError, NotADirectoryError) as problem:
        raise DataError(f"CIFAR-10 is not in {cache}; fetch it with: {command}") from problem
    except OSError as problem:
        raise DataError(f"cannot read {cache}: {problem.strerror}; choose another with --data") from problem
    train, test = (
        Dataset(f"cifar10/{part}", arrays[f"x_{part}"], arrays[f"y_{part}"].astype(np.int64), LABEL_NAMES)
        for part in ("train", "test")
    )
    return Cifar10(train, test)
