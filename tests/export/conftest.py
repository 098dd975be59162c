"""A trained model, and the bundled images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgecnn.cli.main import run as edgecnn
from edgecnn.data import samples
from edgecnn.training import keras_backend
from edgecnn_export import keras_file
from edgecnn_export.dataset import Dataset

if TYPE_CHECKING:
    import keras

MODELS = Path(__file__).parents[2] / "models"


@pytest.fixture(scope="session")
def baseline_path() -> Path:
    keras_backend.choose_tensorflow("tests")
    return MODELS / "baseline.keras"


@pytest.fixture(scope="session")
def baseline(baseline_path: Path) -> keras.Model:
    model, _ = keras_file.load(baseline_path)
    return model


@pytest.fixture
def other(baseline: keras.Model) -> keras.Model:
    """A network of the same shape with its weights in another order: it answers, and wrongly."""
    import keras

    model = keras.models.clone_model(baseline)
    model.set_weights([weight[..., ::-1] for weight in baseline.get_weights()])
    return model


@pytest.fixture(scope="session")
def calibration() -> Dataset:
    return samples.calibration()


@pytest.fixture(scope="session")
def evaluation() -> Dataset:
    """Three hundred test images: enough to tell a broken file, few enough to be quick."""
    return samples.test().balanced("cifar10/test-300", 30, seed=0)


@pytest.fixture(scope="session")
def other_ways(baseline_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what ``edgecnn export`` writes in C, as a SavedModel and as a Keras file."""
    out = tmp_path_factory.mktemp("other-ways")
    words = ["export", str(baseline_path), "--out", str(out)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("none")))
        assert edgecnn([*words, "--format", "c", "--format", "savedmodel", "--format", "keras"]) == 0
    return out
