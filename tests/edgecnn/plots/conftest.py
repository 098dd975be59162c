"""Where a figure goes, and pictures to show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgecnn_export.dataset import Dataset


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "figure.png"


@pytest.fixture
def data() -> Dataset:
    """Thirty pictures of three things, of one colour each."""
    images = np.arange(30, dtype=np.uint8)[:, None, None, None] * np.full((1, 4, 4, 3), 8, np.uint8)
    return Dataset("pictures", images, np.arange(30) % 3, ("cat", "dog", "cow"))
