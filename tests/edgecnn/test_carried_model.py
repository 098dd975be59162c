"""The model that the package carries, and `edgecnn classify` as it comes out of the box."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from edgecnn.cli.main import run as edgecnn
from edgecnn.data import samples
from edgecnn.models import default_model
from edgecnn.training.recipe import find
from edgecnn_export import keras_file
from edgecnn_export.card import card
from edgecnn_runtime import container
from edgecnn_runtime.backends import Backend, open_backend
from edgecnn_runtime.classifier import Classifier

FROG = Path(__file__).parents[2] / "docs" / "pictures" / "frog.png"


@pytest.mark.parametrize("interpreter", ["litert", "onnxruntime"])
def test_it_is_right_on_most_of_the_bundled_test_images(interpreter: str) -> None:
    data = samples.test()
    scores = Classifier.open(default_model(interpreter), interpreter).backend.scores(data.images)
    assert (scores.argmax(-1) == data.labels).mean() >= 0.94


@pytest.mark.parametrize("interpreter", ["litert", "onnxruntime"])
def test_it_carries_its_proof_over_all_test_images(interpreter: str) -> None:
    contract = Classifier.open(default_model(interpreter), interpreter).contract
    assert (contract.model, contract.precision) == ("edge-s", "int8")
    assert contract.parity["images"] == 10_000
    assert all(result["passed"] for result in contract.parity["results"])
    assert contract.calibration["fingerprint"] == samples.calibration().fingerprint


def test_it_is_the_models_folders_network() -> None:
    models = Path(__file__).parents[2] / "models"
    about, contract = keras_file.read_about(models / "edge-s.keras"), container.read(default_model("litert"))[0]
    assert (contract.training, contract.labels, contract.input) == (about.training, about.labels, about.input)
    sizes = [path.stat().st_size for path in (models / "edge-s.keras", default_model("litert"))]
    assert sizes[1] < sizes[0] < 4_000_000


@pytest.mark.parametrize(("backend", "file"), [("litert", "edge-s-int8.tflite"), ("onnxruntime", "edge-s-int8.onnx")])
def test_the_interpreter_that_is_asked_for_gets_its_own_file(
    backend: str, file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = []

    def watched(*words: Any) -> Backend:
        opened.append(open_backend(*words))
        return opened[-1]

    monkeypatch.setattr("edgecnn_runtime.classifier.open_backend", watched)
    assert edgecnn(["classify", str(FROG), "--backend", backend, "--quiet"]) == 0
    assert capsys.readouterr().out == "frog\n"
    assert [each.name.partition(" ")[0] for each in opened] == [backend]
    assert default_model(backend).name == file


def test_its_card_its_recipe_and_its_history_lie_beside_it() -> None:
    models, file = Path(__file__).parents[2] / "models", default_model("litert")
    contract, payload = container.read(file)
    assert (models / "edge-s.md").read_text() == card(contract, container.parse(payload)[1])
    recipe = find(str(models / "edge-s.recipe.json"))
    assert (recipe.name, recipe.seed) == (contract.training["recipe"], contract.training["seed"])
    assert len((models / "edge-s.history.csv").read_text().splitlines()) == 1 + recipe.epochs


def test_classify_needs_no_model_named(tmp_path: Path) -> None:
    data = samples.test()
    wanted = {}
    for label in ("ship", "truck", "frog"):
        members = (data.labels == data.label_names.index(label)).nonzero()[0][:10]
        for index in members:
            path = tmp_path / f"{label}-{index}.png"
            Image.fromarray(data.images[index]).save(path)
            wanted[str(path)] = label
    command = [sys.executable, "-m", "edgecnn", "classify", *wanted, "--json", "--top", "1"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    answers = {each["file"]: each["predictions"][0]["label"] for each in map(json.loads, ended.stdout.splitlines())}
    assert list(answers) == list(wanted)
    assert sum(answers[path] == label for path, label in wanted.items()) >= 24
