"""``edgecnn evaluate`` from outside, with models that answer the colour of a picture, and a trained one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgecnn.cli.main import run
from edgecnn.data import photos, samples
from edgecnn_export import keras_file
from edgecnn_export.intervals import wilson
from edgecnn_runtime import Classifier

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "runtime" / "data"
BASELINE = ROOT / "models" / "baseline.keras"

NOT_FOR_EXPORTED_FILES = {"keras", "tensorflow", "jax", "matplotlib", "rich", "tf2onnx", "onnx"}


pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def colours(here: Path) -> Path:
    """Twenty pictures each of red, green and blue, a part of them in the wrong folder; shades differ."""
    painted = {"red": ["red"] * 20, "green": ["green"] * 10 + ["blue"] * 10, "blue": ["blue"] * 15 + ["red"] * 5}
    for place, (label, colours) in enumerate(painted.items()):
        (here / "photos" / label).mkdir(parents=True)
        for number, colour in enumerate(colours):
            pixel = np.zeros(3, np.uint8)
            pixel[["red", "green", "blue"].index(colour)] = 150 + 20 * place + number
            Image.fromarray(np.full((6, 5, 3), pixel)).save(here / "photos" / label / f"{number:02}.png")
    return here / "photos"


@pytest.mark.parametrize("name", ["tiny-int8.tflite", "tiny-fp32.onnx"])
@pytest.mark.usefixtures("colours")
def test_the_figures(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(TINY / name), "--data", "photos", "--part", "all"]) == 0
    out, err = capsys.readouterr()
    first, *table = out.splitlines()
    low, high = wilson(45, 60)
    assert first == (
        f"{TINY / name}: accuracy 75.00% (95 %: {low:.2%} to {high:.2%}), 45 of 60 images of photos/all; "
        "mean recall 75.00%"
    )
    assert [line.split() for line in table] == [
        ["class", "precision", "recall", "F1", "images"],
        ["red", "80.0%", "100.0%", "88.9%", "20"],  # of 25 called red, 20
        ["green", "100.0%", "50.0%", "66.7%", "20"],
        ["blue", "60.0%", "75.0%", "66.7%", "20"],  # of 25 called blue, 15
    ]
    assert not err


@pytest.mark.usefixtures("colours")
def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", str(TINY / "tiny-fp32.onnx"), "--data", "photos", "--json"]
    assert run([*words, "--part", "all"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["data"], found["images"], found["accuracy"]) == ("photos/all", 60, 0.75)
    assert found["interval"] == list(wilson(45, 60))
    assert found["classes"]["red"] == {"precision": 0.8, "recall": 1.0, "f1": pytest.approx(8 / 9), "images": 20}
    spec = Classifier.open(TINY / "tiny-fp32.onnx").contract.input
    images = photos.load(Path("photos"), spec, ("red", "green", "blue"), print, lambda *_: None)
    training, validation = images.split()
    for part, data, size in (("test", images.test, 9), ("validation", validation, 9), ("train", training, 42)):
        assert run([*words, "--part", part]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["images"], found["fingerprint"]) == (size, data.fingerprint)


def test_classes_that_the_set_does_not_have(colours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (colours / "blue").iterdir():
        path.unlink()
    (colours / "blue").rmdir()
    words = ["evaluate", str(TINY / "tiny-fp32.onnx"), "--data", "photos", "--part", "all"]
    assert run([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["classes"]) == ["red", "green"]
    assert found["accuracy"] == 30 / 40


def test_a_label_that_is_never_given_has_no_precision(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for label in ("red", "green"):
        (here / "photos" / label).mkdir(parents=True)
        Image.new("RGB", (4, 4), "red").save(here / "photos" / label / "1.png")
    words = ["evaluate", str(TINY / "tiny-fp32.onnx"), "--data", "photos", "--part", "all"]
    assert run(words) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["green", "-", "0.0%", "0.0%", "1"]
    assert run([*words, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["classes"]["green"]["precision"] is None


@pytest.mark.usefixtures("colours")
def test_the_pictures(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["evaluate", str(TINY / "tiny-fp32.onnx"), "--data", "photos", "--out", "new/report"]
    assert run(words) == 0
    err = capsys.readouterr().err
    assert err == "saved new/report/confusion.png and new/report/mistakes.png\n"
    for name in ("confusion", "mistakes"):
        with Image.open(here / "new" / "report" / f"{name}.png") as picture:
            assert len(picture.convert("RGB").getcolors(2**21) or []) > 50
    (here / "file").touch()
    assert run([*words[:-1], "file/report"]) == 1
    assert "error: file/report cannot be written (Not a directory); choose another --out" in capsys.readouterr().err
    assert run([*words[:-1], "file"]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == ("", "error: --out file is a file; name a folder for the pictures\n")  # before the work


def test_without_data_the_images_that_come_with_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", str(BASELINE)]) == 0
    first, _, *classes = capsys.readouterr().out.splitlines()
    assert " of 1,000 images of cifar10/test-1000; " in first
    assert [line.split()[0] for line in classes] == list(samples.test().label_names)
    expected = keras_file.read_about(BASELINE).training["test_accuracy"]  # on all 10,000
    assert float(first.split("accuracy ")[1].split("%")[0]) == pytest.approx(100 * expected, abs=4)


def test_other_labels(colours: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for model, words, message in (
        (BASELINE, ["--data", "photos"], "the model does not know the class blue and 2 more of photos: it was trained"),
        (TINY / "tiny-fp32.onnx", [], "the model was not trained on CIFAR-10; name its photographs with --data"),
    ):
        assert run(["evaluate", str(model), *words]) == 1
        out, err = capsys.readouterr()
        assert not out
        assert err.startswith(f"error: {message}")


@pytest.mark.parametrize("name", ["none.tflite", "none.keras", "empty.onnx", "folder"])
@pytest.mark.usefixtures("colours")
def test_no_such_model(name: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "empty.onnx").touch()
    (here / "folder").mkdir()
    assert run(["evaluate", name, "--data", "photos"]) == 1
    out, err = capsys.readouterr()
    assert not out
    (line,) = err.splitlines()
    assert line.startswith(f"error: {name}")


@pytest.mark.usefixtures("colours")
def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    model = str(TINY / "tiny-fp32.onnx")
    for words in (["--part", "half"], ["--backend", "litert"], ["--backend", "none"]):
        assert run(["evaluate", model, "--data", "photos", *words]) == 2
        assert capsys.readouterr().err.startswith("error: ")
    assert run(["evaluate", str(BASELINE), "--backend", "litert"]) == 2
    assert capsys.readouterr().err == f"error: --backend goes with a .tflite or .onnx file; {BASELINE} is Keras's\n"


@pytest.mark.usefixtures("colours")
def test_an_exported_file_needs_an_interpreter_and_nothing_heavy() -> None:
    script = (
        f"import sys; from edgecnn.cli.main import run; status = run(['evaluate', {str(TINY / 'tiny-int8.tflite')!r}, "
        "'--data', 'photos']); print(*{name.partition('.')[0] for name in sys.modules}); sys.exit(status)"
    )
    command = [sys.executable, "-W", "error", "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert not NOT_FOR_EXPORTED_FILES & set(ended.stdout.splitlines()[-1].split())
