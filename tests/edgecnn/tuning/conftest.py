"""A search in seconds: few images in the place of CIFAR-10, and no test images at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, cast

import numpy as np
import pytest

from edgecnn.data import cifar10
from edgecnn.data.cifar10 import Cifar10
from edgecnn_export.dataset import Dataset

Spaces = Callable[..., Path]


class Untouchable:
    """Fails whoever looks at it."""

    def __getattribute__(self, name: str) -> NoReturn:
        raise AssertionError(f"the test images were asked for their {name}")


@pytest.fixture
def few(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> Cifar10:
    """A hundred images to learn from, fifty for validation, and test images that nobody may look at."""
    data = Cifar10(small, cast(Dataset, Untouchable()))
    parts = small.subset("learning", np.arange(0, 500, 5)), small.subset("validation", np.arange(1, 500, 10))
    monkeypatch.setattr(Cifar10, "split", lambda self: parts)
    monkeypatch.setattr(cifar10, "load", lambda folder: data)
    return data


@pytest.fixture
def space_file(tmp_path: Path) -> Spaces:
    """Write a search space of these fields."""

    def write(**given: Any) -> Path:
        path = tmp_path / "space.json"
        path.write_text(json.dumps(given))
        return path

    return write
