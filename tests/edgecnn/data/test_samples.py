"""The images that come with the package."""

from __future__ import annotations

import numpy as np
import pytest

from edgecnn.data import samples
from edgecnn_export.dataset import Dataset

PINNED = {
    samples.TEST: "c1c8d96ba5f07afeffab87514ff8b8444009ee21d808aca9b18199a6577064e5",
    samples.CALIBRATION: "48e1367bed78c8056d3a4506b1ff3c68a472cfcfefef6dbd524859550e6839ea",
}


@pytest.fixture(params=[(samples.TEST, samples.test, 100), (samples.CALIBRATION, samples.calibration, 50)])
def part(request: pytest.FixtureRequest) -> tuple[str, Dataset, int]:
    name, load, per_class = request.param
    return name, load(), per_class


def test_balance(part: tuple[str, Dataset, int]) -> None:
    name, dataset, per_class = part
    assert dataset.name == f"cifar10/{name}"
    assert dataset.images.shape == (10 * per_class, 32, 32, 3)
    assert dataset.images.dtype == np.uint8
    assert np.bincount(dataset.labels).tolist() == [per_class] * 10


def test_pinned(part: tuple[str, Dataset, int]) -> None:
    name, dataset, _ = part
    assert dataset.fingerprint == PINNED[name]


def test_positions(part: tuple[str, Dataset, int]) -> None:
    name, dataset, _ = part
    positions = samples.positions(name)
    assert len(positions) == len(dataset)
    assert (np.diff(positions) > 0).all()


def test_no_image_twice() -> None:
    images = [image.tobytes() for image in (*samples.test().images, *samples.calibration().images)]
    assert len(set(images)) == len(images)


def test_the_package_stays_small() -> None:
    assert sum(path.stat().st_size for path in samples.FOLDER.iterdir()) < 2_700_000
