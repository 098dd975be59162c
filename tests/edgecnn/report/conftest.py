"""A real run with its exports, its answers, and the page about it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edgecnn.cli.main import run as edgecnn
from edgecnn.report.answers import Evidence, collect
from edgecnn.report.subjects import gather
from edgecnn.training import run
from edgecnn.training.recipe import LESSON
from edgecnn.training.train import train
from edgecnn.zoo import find, weights
from edgecnn_export import keras_file
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import export
from tests.edgecnn.report.read import Page

ROOT = Path(__file__).parents[3]
BASELINE = ROOT / "models" / "baseline.keras"
RECIPE = replace(LESSON, epochs=2, seed=4, learning_rate=1e-4, validation="held-out", pretrained=True)


@pytest.fixture
def no_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No CIFAR-10 in the user's cache: the images that come with the package are taken."""
    hide_data(monkeypatch, tmp_path / "none")


def hide_data(patch: pytest.MonkeyPatch, nowhere: Path) -> None:
    patch.setenv("XDG_CACHE_HOME", str(nowhere))
    patch.delenv("EDGECNN_DATA", raising=False)


@pytest.fixture(scope="session")
def folder(keras: Any, small: Dataset, watched: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that goes on from the trained baseline, with an int8 TFLite file and an fp32 ONNX file in it."""
    folder, network = tmp_path_factory.mktemp("runs") / "my run", find("baseline")
    folder.mkdir()
    load = partial(weights.load, network=network, file=BASELINE)
    trained = train(network, RECIPE, small, watched, folder, load_weights=load)
    run.write(folder, network, RECIPE, trained, small, watched, "a CPU")
    evaluation = watched.balanced("cifar10/test-300", 30, seed=0)
    for form, precision in (("tflite", "int8"), ("onnx", "fp32")):
        export(folder / run.MODEL, [form], [precision], folder, small, evaluation)
    return folder


@pytest.fixture(scope="session")
def evidence(folder: Path, watched: Dataset) -> Evidence:
    """What the model and its files make of 1,000 test images."""
    (subject,) = gather([folder])
    return collect(subject, keras_file.load(folder / run.MODEL)[0], watched)


@pytest.fixture(scope="session")
def page(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The report on the run, with the images that come with the package."""
    out = tmp_path_factory.mktemp("page") / "report.html"
    with pytest.MonkeyPatch.context() as patch:
        hide_data(patch, tmp_path_factory.mktemp("none"))
        assert edgecnn(["report", str(folder), "-o", str(out), "--rounds", "1"]) == 0
    assert [each.name for each in out.parent.iterdir()] == ["report.html"]
    return Page(out)
