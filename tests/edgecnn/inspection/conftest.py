"""A trained residual network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgecnn_export import keras_file

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture(scope="session")
def resnet8(keras: Any) -> Any:
    assert keras.backend.backend() == "tensorflow"
    return keras_file.load(MODELS / "resnet8.keras")[0]
