"""The images on which an exported file is compared with its Keras model."""

from __future__ import annotations

from pathlib import Path

from edgecnn.data import cifar10, samples
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.errors import DataError


def test_images(folder: Path | None) -> Dataset:
    """CIFAR-10's 10,000 test images where they are cached, else the 1,000 that the package carries.

    Args:
        folder: the data folder; one that is named must hold the set.

    Raises:
        DataError: the named folder does not hold CIFAR-10, or what is cached is damaged.
    """
    try:
        return cifar10.load(folder).test
    except DataError:
        if folder is not None or cifar10.cache_folder().exists():
            raise
        return samples.test()
