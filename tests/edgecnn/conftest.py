"""What the tests of training share: Keras on TensorFlow, imported once, and the images that come with the package."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from edgecnn.data import samples
from edgecnn_export.dataset import Dataset


@pytest.fixture(scope="session")
def keras() -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("KERAS_BACKEND", "tensorflow")
        from edgecnn.training import backend

        assert backend.choose() == "tensorflow"
        import keras

        yield keras


@pytest.fixture(scope="session")
def small() -> Dataset:
    """500 training images."""
    return samples.calibration()


@pytest.fixture(scope="session")
def watched() -> Dataset:
    """1,000 test images."""
    return samples.test()
