"""A set too large for the device trains as one that lies on it does; under JAX, see ``test_jax_loop.py``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn.training import learner, plan
from edgecnn.training.recipe import DEFAULT
from edgecnn.training.train import train
from edgecnn.zoo.lesson import BASELINE
from edgecnn_export.dataset import Dataset

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Folders

RECIPE = replace(DEFAULT, epochs=2, batch_size=20)


def test_fetched_images_are_the_plans() -> None:
    images = np.random.default_rng(0).integers(0, 256, (30, 4, 5, 3), np.uint8)
    order = np.array([[3, 29, 3], [0, 7, 11]], np.int32)
    fetched, places = plan.fetch(images, order)
    np.testing.assert_array_equal(fetched[places], images[order])
    assert places.dtype == np.int32


def test_from_a_file_on_disk(
    keras: Any, small: Dataset, folder: Folders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgecnn.training import compiled_tensorflow

    resident = train(BASELINE, RECIPE, small, None, folder("resident"))
    np.save(tmp_path / "images.npy", small.images)
    mapped = replace(small, images=np.load(tmp_path / "images.npy", mmap_mode="r"))
    monkeypatch.setattr(plan, "RESIDENT_BYTES", 0)
    monkeypatch.setattr(learner, "_BYTES_PER_CALL", 70 * 32 * 32 * 3)  # three steps a call, and one is left over
    sizes = []

    def fetch(images: Any, order: Any) -> Any:
        sizes.append(order.size)
        return plan.fetch(images, order)

    monkeypatch.setattr(compiled_tensorflow, "fetch", fetch)
    streamed = train(BASELINE, RECIPE, mapped, None, folder("streamed"))
    for weight, expected in zip(streamed.model.get_weights(), resident.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)
    assert sizes == 2 * [*8 * [60], 20]
