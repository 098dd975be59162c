"""From a folder of photographs to a proved file, command by command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.cli.main import run
from edgecnn.data import photos, samples
from edgecnn.training import compiled_tensorflow, plan
from edgecnn.training import train as training
from edgecnn_export import keras_file
from edgecnn_export.dataset import Dataset
from edgecnn_runtime import container
from edgecnn_runtime.contract import InputSpec

LABELS = ("automobile", "frog", "ship")
SPEC = InputSpec(32, 32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CIFAR-10's test images of three classes, a hundred each, as a folder a class."""
    place, data = tmp_path_factory.mktemp("set") / "my photos", samples.test()
    for label in LABELS:
        (place / label).mkdir(parents=True)
        for index in np.flatnonzero(data.labels == data.label_names.index(label)):
            Image.fromarray(data.images[index]).save(place / label / f"{index}.png")
    return place


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("EDGECNN_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("keras")
def test_train_export_parity_and_evaluate(folder: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = ["--data", str(folder)]
    assert run(["train", "baseline", *data, "--epochs", "4", "--batch-size", "16", "--out", "run"]) == 0
    _, network, *epochs, accuracy, export = capfd.readouterr().out.splitlines()
    assert network == "baseline: 3 classes; recipe default: 4 epochs of 210 images, batches of 16; in run"
    assert len(epochs) == 4
    assert " validation " in epochs[0]
    assert accuracy.endswith(" on 45 images")
    assert export.endswith(f"edgecnn export run --int8 --data '{folder}'")
    about = keras_file.read_about(here / "run" / "model.keras")
    images = photos.load(folder, SPEC, None, print, lambda *_: None)
    assert (about.labels, about.input) == (LABELS, SPEC)
    metrics = json.loads((here / "run" / "metrics.json").read_text())
    assert metrics["training_fingerprint"] == images.split()[0].fingerprint
    assert metrics["test_fingerprint"] == images.test.fingerprint

    assert run(["export", "run", "--int8", "--format", "onnx", *data]) == 0
    assert "calibration: 210 images of my photos/calibration; proof: 45 of my photos/test" in capfd.readouterr().out
    contract, _ = container.read(here / "run" / "baseline-int8.onnx")
    assert contract.calibration["fingerprint"] == images.calibration.fingerprint
    assert contract.parity["fingerprint"] == images.test.fingerprint

    assert run(["parity", "run", "run/baseline-int8.onnx", *data, "--json"]) == 0
    compared = json.loads(capfd.readouterr().out)
    assert (compared["images"], compared["fingerprint"]) == (45, images.test.fingerprint)
    assert compared["reference_accuracy"] == pytest.approx(metrics["test_accuracy"])

    for model, right in (("run", compared["reference_accuracy"]), ("run/baseline-int8.onnx", None)):
        assert run(["evaluate", model, *data, "--json"]) == 0
        evaluated = json.loads(capfd.readouterr().out)
        assert evaluated["fingerprint"] == images.test.fingerprint
        assert evaluated["accuracy"] == pytest.approx(right or compared["rows"][0]["accuracy"])

    # A model of these photographs is none of CIFAR-10, and the other way round.
    assert run(["export", "run"]) == 2
    assert "error: run is compared on pictures of your own: name labelled ones with --data" in capfd.readouterr().err
    for words in (["parity", "run", "run/baseline-int8.onnx"], ["evaluate", "run"]):
        assert run(words) == 1
        assert (
            "error: the model was not trained on CIFAR-10; name its photographs with --data" in capfd.readouterr().err
        )


@pytest.mark.usefixtures("keras")
@pytest.mark.parametrize(
    ("arguments", "sizes"),
    [([], (210, 45)), (["--full"], (255, None)), (["--recipe", "lesson"], (255, 45))],
    ids=str,
)
def test_what_is_watched(
    folder: Path, arguments: list[str], sizes: tuple[int, int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, Any] = {}

    def stop(network: Any, recipe: Any, data: Dataset, watched: Dataset | None, *_: Any, **__: Any) -> None:
        seen.update(recipe=recipe, data=data, watched=watched)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", stop)
    assert run(["train", "baseline", "--data", str(folder), *arguments]) == 130
    watched = seen["watched"]
    assert (len(seen["data"]), watched and len(watched)) == sizes
    images = photos.load(folder, SPEC, None, print, lambda *_: None)
    expected = {"held-out": images.split()[1], "none": None, "test": images.test}[seen["recipe"].validation]
    assert (watched and watched.fingerprint) == (expected and expected.fingerprint)


@pytest.mark.usefixtures("keras")
def test_a_set_too_large_to_stay_on_the_device_gives_the_same_run(
    folder: Path, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["train", "baseline", "--data", str(folder), "--epochs", "1", "--batch-size", "16", "--out"]
    assert run([*words, "resident"]) == 0
    monkeypatch.setattr(plan, "RESIDENT_BYTES", 100_000)
    fetched = []
    fetch = plan.fetch

    def watched(images: Any, order: Any) -> Any:
        assert isinstance(images, np.memmap)
        fetched.append(order.size)
        return fetch(images, order)

    monkeypatch.setattr(compiled_tensorflow, "fetch", watched)
    assert run([*words, "streamed"]) == 0
    assert sum(fetched) == 208
    one, other = (json.loads((here / name / "metrics.json").read_text()) for name in ("resident", "streamed"))
    for name in ("test_accuracy", "training_fingerprint"):
        assert one[name] == other[name]


def test_bad_photographs_end_before_a_run_begins(folder: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for grey, label in enumerate(LABELS):
        (here / "few" / label).mkdir(parents=True)
        for number in range(9 if label == "frog" else 12):
            Image.new("RGB", (40 + number, 40), (grey, grey, grey)).save(here / "few" / label / f"{number}.png")
    assert run(["train", "baseline", "--data", "few"]) == 1
    assert capfd.readouterr().err.startswith("error: the class frog of few has 9 pictures, too few to divide")
    for number in (9, 10):
        (here / "few" / "frog" / f"{number}.png").write_bytes(b"no picture %d" % number)
        (here / "few" / "ship" / f"{number}.png").write_bytes(b"no ship %d" % number)
    assert run(["train", "baseline", "--data", "few"]) == 1
    *skipped, last = capfd.readouterr().err.splitlines()
    assert len(skipped) > 1
    assert all(line.startswith("skipped few/") for line in skipped)
    assert last.startswith("error: ")
    assert "pictures are damaged, more than 5%" in last
    assert not (here / "runs").exists()


@pytest.mark.usefixtures("keras")
def test_a_run_on_photographs_is_resumed_with_them(folder: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "baseline", "--data", str(folder), "--epochs", "1", "--out", "run"]) == 0
    capfd.readouterr()
    assert run(["train", "baseline", "--out", "run", "--resume"]) == 2
    told = "run learns from my photos/train-210: name the --data that it began with, too"
    assert capfd.readouterr().err == f"error: {told}\n"


def test_quick_is_for_cifar10(folder: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    model = Path(__file__).parents[3] / "models" / "baseline.keras"
    assert run(["parity", str(model), "x.onnx", "--quick", "--data", str(folder)]) == 2
    assert "--quick takes images that come with edgecnn" in capfd.readouterr().err


MODELS = Path(__file__).parents[3] / "models"


@pytest.mark.usefixtures("keras")
def test_transfer_learning(folder: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The base that learnt ten classes stays as it is; a classifier of three is put on it."""
    words = ["train", "baseline", "--data", str(folder), "--weights", str(MODELS / "baseline.keras")]
    assert run([*words, "--freeze", "--epochs", "3", "--lr", "0.01", "--out", "frozen"]) == 0
    output = capfd.readouterr().out.splitlines()
    assert output[1] == "baseline: 3 classes; recipe transfer: 3 epochs of 210 images, batches of 32; in frozen"
    source = f"weights: {MODELS}/baseline.keras; new: probabilities, which learns alone for 3 epochs"
    assert output[2] == source
    assert json.loads((here / "frozen" / "metrics.json").read_text())["test_accuracy"] >= 0.75
    base, _ = keras_file.load(MODELS / "baseline.keras")
    kept, _ = keras_file.load(here / "frozen" / "model.keras")
    for name in ("conv", "dense"):
        for weight, expected in zip(
            kept.get_layer(name).get_weights(), base.get_layer(name).get_weights(), strict=True
        ):
            np.testing.assert_array_equal(weight, expected)

    assert run([*words, "--unfreeze-after", "1", "--epochs", "2", "--out", "thawed"]) == 0
    assert "learns alone for 1 epoch\n" in capfd.readouterr().out
    recipe = json.loads((here / "thawed" / "recipe.json").read_text())
    assert (recipe["pretrained"], recipe["frozen_epochs"]) == (True, 1)
    thawed, _ = keras_file.load(here / "thawed" / "model.keras")
    assert not np.array_equal(thawed.get_layer("conv").get_weights()[0], base.get_layer("conv").get_weights()[0])

    assert run([*words[:4], "--recipe", "thawed/recipe.json", "--out", "again"]) == 0
    assert f"weights: {MODELS}/baseline.keras; new: probabilities" in capfd.readouterr().out
    again, _ = keras_file.load(here / "again" / "model.keras")
    for weight, expected in zip(again.get_weights(), thawed.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


@pytest.mark.usefixtures("keras")
@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--freeze"], 2, "a frozen base must have learnt something"),
        (["--pretrained", "--freeze", "--unfreeze-after", "2"], 2, "--freeze never unfreezes"),
        (["--pretrained", "--unfreeze-after", "-1"], 2, "frozen_epochs must be at least 0, got -1"),
        (["--resume", "--freeze"], 2, "--resume keeps the run's recipe"),
        (["--pretrained"], 2, "there are no trained weights for baseline; give a file of them with --weights"),
        (
            ["--recipe", f"{MODELS}/baseline.recipe.json", "--pretrained"],
            2,
            "there are no trained weights for baseline",
        ),
        (["--weights", "none.h5"], 1, "none.h5"),
        (["--weights", str(MODELS / "deeper.keras")], 1, "deeper.keras does not fit baseline"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_transfer_learning_that_cannot_be(
    arguments: list[str], status: int, message: str, folder: Path, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(["train", "baseline", "--data", str(folder), *arguments]) == status
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert not list(here.glob("runs/*"))
