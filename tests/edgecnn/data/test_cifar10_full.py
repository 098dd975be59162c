"""The real set."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from edgecnn.data import cifar10, samples
from edgecnn.data.cifar10 import Cifar10
from edgecnn_export.dataset import Dataset

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def whole() -> Cifar10:
    return cifar10.load()


def test_whole(whole: Cifar10) -> None:
    assert whole.train.images.shape == (50_000, 32, 32, 3)
    assert whole.test.images.shape == (10_000, 32, 32, 3)
    assert np.bincount(whole.train.labels).tolist() == [5_000] * 10
    assert np.bincount(whole.test.labels).tolist() == [1_000] * 10


def test_split(whole: Cifar10) -> None:
    train, validation = whole.split()
    assert (train.name, validation.name) == ("cifar10/train-45000", "cifar10/validation-5000")
    assert np.bincount(train.labels).tolist() == [4_500] * 10
    assert np.bincount(validation.labels).tolist() == [500] * 10
    assert validation.fingerprint == "a0a3309cc17488dc8c260667239752710692d7e6a551f53da42eff21de5bd65a"


def test_samples_are_the_originals(whole: Cifar10) -> None:
    assert_drawn(samples.test(), whole.test, samples.TEST)
    assert_drawn(samples.calibration(), whole.train, samples.CALIBRATION)


def assert_drawn(drawn: Dataset, original: Dataset, part: str) -> None:
    positions = samples.positions(part)
    np.testing.assert_array_equal(drawn.images, original.images[positions])
    np.testing.assert_array_equal(drawn.labels, original.labels[positions])


def test_calibration_images_are_not_validation_images(whole: Cifar10) -> None:
    learning, _ = cifar10.split_indices(whole.train.labels)
    assert set(samples.positions(samples.CALIBRATION)) <= set(learning)


def test_no_calibration_image_is_a_test_image(whole: Cifar10) -> None:
    def sums(dataset: Dataset) -> set[bytes]:
        return {hashlib.sha256(image.tobytes()).digest() for image in dataset.images}

    assert not sums(samples.calibration()) & sums(whole.test)
