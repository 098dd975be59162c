"""Where a run lies, and what a finished one leaves."""

from __future__ import annotations

import csv
import json
import os
import platform
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.training import run
from edgecnn.training.recipe import LESSON, Recipe
from edgecnn.training.train import CHECKPOINT, Trained, train
from edgecnn.zoo import find
from edgecnn_export import keras_file
from edgecnn_export.dataset import Dataset
from edgecnn_export.placing import UNFINISHED
from edgecnn_export.reference import predict
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import TrainingError

RECIPE = replace(LESSON, epochs=2, seed=4)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make_run(folder: Path, age: int = 0) -> None:
    folder.mkdir(parents=True)
    (folder / CHECKPOINT).write_bytes(b"")
    os.utime(folder / CHECKPOINT, (1e9 - age, 1e9 - age))


@pytest.mark.usefixtures("here")
def test_the_next_free_folder() -> None:
    names = ["runs/baseline", "runs/baseline-2", "runs/baseline-3"]
    assert [str(run.new_folder(None, "baseline")) for _ in names] == names
    assert all(Path(name).is_dir() for name in names)
    assert str(run.new_folder(None, "deeper")) == "runs/deeper"


def test_a_given_folder(tmp_path: Path) -> None:
    given = tmp_path / "some" / "where"
    assert run.new_folder(given, "baseline") == given
    assert run.new_folder(given, "baseline") == given  # nothing in it yet
    assert given.is_dir()


@pytest.mark.parametrize("file", [CHECKPOINT, run.MODEL])
def test_a_run_is_never_overwritten(tmp_path: Path, file: str) -> None:
    (tmp_path / file).write_bytes(b"")
    with pytest.raises(TrainingError, match="already holds a run; continue it with --resume or choose another --out"):
        run.new_folder(tmp_path, "baseline")


def test_nor_is_a_search(tmp_path: Path) -> None:
    (tmp_path / run.RECIPE).write_text("{}")
    with pytest.raises(TrainingError, match="already holds a recipe, as edgecnn tune leaves it; choose another --out"):
        run.new_folder(tmp_path, "baseline")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"the folder .*file/run cannot be made \(Not a directory\)"):
        run.new_folder(tmp_path / "file" / "run", "baseline")


@pytest.mark.usefixtures("here")
def test_the_latest_run_is_resumed() -> None:
    for name, age in (("baseline", 20), ("baseline-2", 5), ("baseline-3", 10), ("baseliner", 1), ("deeper", 0)):
        make_run(Path("runs", name), age)
    Path("runs/baseline-4").mkdir()
    make_run(Path("runs/baseline-5"))
    Path("runs/baseline-5", run.METRICS).write_text("{}")  # it came to its end
    assert run.latest("baseline") == Path("runs/baseline-2")


@pytest.mark.usefixtures("here")
def test_nothing_to_resume() -> None:
    make_run(Path("runs/deeper"))
    with pytest.raises(TrainingError, match="there is no unfinished run of baseline in runs/ to resume; name"):
        run.to_resume(None, "baseline", None)


@pytest.fixture(scope="module")
def finished(
    keras: Any, small: Dataset, watched: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Trained, dict[str, Any]]]:
    """A run's folder, what training gave, and the metrics."""
    folder = tmp_path_factory.mktemp("run")
    trained = train(find("baseline"), RECIPE, small, watched, folder)
    yield folder, trained, run.write(folder, find("baseline"), RECIPE, trained, small, watched, "a CPU")


Finished = tuple[Path, Trained, dict[str, Any]]


def test_every_file_and_no_other(finished: Finished) -> None:
    assert {path.name for path in finished[0].iterdir()} == {
        "model.keras",
        "recipe.json",
        "history.csv",
        "metrics.json",
        "checkpoint.npz",
        "curves.png",
        "predictions.png",
        "confusion.png",
    }


def test_the_model_and_what_it_says_of_itself(finished: Finished, small: Dataset, watched: Dataset) -> None:
    folder, trained, metrics = finished
    model, about = keras_file.load(folder / "model.keras")
    np.testing.assert_array_equal(predict(model, watched.images), predict(trained.model, watched.images))
    assert about.name == "baseline"
    assert about.labels == watched.label_names
    assert about.input == InputSpec(32, 32)
    assert about.training == {
        "training_data": "cifar10/train-500",
        "training_fingerprint": small.fingerprint,
        "recipe": "lesson",
        "seed": 4,
        "test_accuracy": metrics["test_accuracy"],
    }


def test_the_model_of_images_that_are_not_square(
    keras: Any, finished: Finished, watched: Dataset, tmp_path: Path
) -> None:
    few = Dataset("few", watched.images[:40, :6, :9], watched.labels[:40], watched.label_names)
    layers = [keras.Input((6, 9, 3)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    trained = Trained(keras.Sequential(layers), finished[1].history, 1.0)
    run.write(tmp_path, find("baseline"), RECIPE, trained, few, few, "a CPU")
    assert keras_file.read_about(tmp_path / "model.keras").input == InputSpec(6, 9)


def test_the_recipe(finished: Finished) -> None:
    assert Recipe.from_dict(json.loads((finished[0] / "recipe.json").read_text())) == RECIPE


def test_the_history(finished: Finished) -> None:
    with (finished[0] / "history.csv").open(newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    assert rows == finished[1].history
    assert len(rows) == 2


def test_the_metrics(finished: Finished, small: Dataset, watched: Dataset) -> None:
    folder, trained, metrics = finished
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    guesses = np.asarray(trained.model(watched.images.astype(np.float32))).argmax(1)
    assert metrics == {
        "network": "baseline",
        "parameters": 226_390,
        "recipe": "lesson",
        "seed": 4,
        "test_accuracy": pytest.approx(np.mean(guesses == watched.labels)),
        "test_images": 1000,
        "training_data": "cifar10/train-500",
        "training_images": 500,
        "training_fingerprint": small.fingerprint,
        "test_fingerprint": watched.fingerprint,
        "seconds": pytest.approx(trained.seconds, abs=0.05),
        "images_per_second": pytest.approx(2 * 15 * 32 / trained.seconds, abs=0.05),  # whole batches
        "device": "a CPU",
        "python": platform.python_version(),
    }


def test_a_network_that_gives_no_numbers_is_no_result(
    finished: Finished, small: Dataset, watched: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "predict", lambda _, images: np.full((len(images), 10), np.nan, np.float32))
    with pytest.raises(TrainingError, match="gives no numbers any more, for its training has diverged"):
        run.write(tmp_path, find("baseline"), RECIPE, finished[1], small, watched, "a CPU")
    assert not list(tmp_path.iterdir())


def test_a_full_disk(
    finished: Finished, small: Dataset, watched: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, trained, _ = finished

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keras_file, "save", full)
    with pytest.raises(TrainingError, match=r"results cannot be written to .* \(No space left on device\); .*--resume"):
        run.write(tmp_path, find("baseline"), RECIPE, trained, small, watched, "a CPU")
    assert not list(tmp_path.iterdir())


def test_a_disk_that_is_full_at_the_last_file(
    finished: Finished, small: Dataset, watched: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    last, fsync = tmp_path / (UNFINISHED + run.METRICS), os.fsync

    def full(descriptor: int) -> None:
        if last.exists() and os.path.samestat(os.fstat(descriptor), last.stat()):
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(TrainingError, match=r"results cannot be written to .* \(No space left on device\); .*--resume"):
        run.write(tmp_path, find("baseline"), RECIPE, finished[1], small, watched, "a CPU")
    left = {path.name for path in finished[0].iterdir()} - {CHECKPOINT, run.METRICS}
    assert {path.name for path in tmp_path.iterdir()} == left


@pytest.mark.parametrize(
    ("name", "size"), [("curves", (1200, 480)), ("predictions", (1200, 1320)), ("confusion", (1020, 900))]
)
def test_the_pictures(finished: Finished, name: str, size: tuple[int, int]) -> None:
    with Image.open(finished[0] / f"{name}.png") as picture:
        assert picture.size == size
        colours = picture.convert("RGB").getcolors(maxcolors=2**21)
    assert colours
    assert len(colours) > 100  # something is drawn on it
