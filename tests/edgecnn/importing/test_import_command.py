"""``edgecnn import`` from outside, with a network that learnt shades, and what becomes of its file."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.cli.main import run
from edgecnn_export import keras_file
from edgecnn_runtime import Classifier

DATA = Path(__file__).parent / "data"
SHADES = {"ember": (140, 60, 30), "leaf": (60, 140, 40), "wood": (100, 80, 50)}
"""Colours that are none of the others' with blue for red."""

SIDE = 8
TILES = np.random.default_rng(5)


def picture(name: str) -> Any:
    """Noise about a shade of a colour."""
    shade = SHADES[name] + TILES.normal(0, 15, 3)
    return np.clip(shade + TILES.normal(0, 25, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8)


@pytest.fixture
def photos(here: Path) -> Path:
    for name in SHADES:
        (here / "photos" / name).mkdir(parents=True)
        for number in range(60):
            Image.fromarray(picture(name)).save(here / "photos" / name / f"{number:02}.png")
    return here / "photos"


@pytest.fixture(scope="module")
def theirs(keras: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Trained on pixels from -1 to 1 in OpenCV's order, on the shades by their names, sorted."""
    layers = keras.layers
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            layers.Conv2D(8, 3, activation="tanh"),
            layers.Conv2D(8, 3, activation="tanh"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(3),
        ]
    )
    images = np.stack([picture(name) for name in SHADES for _ in range(200)])[..., ::-1] / 127.5 - 1
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images, np.repeat(np.arange(3), 200), epochs=15, verbose=0)
    model.save(path := tmp_path_factory.mktemp("theirs") / "my net (2).keras")
    return path


@pytest.mark.usefixtures("photos")
def test_found_exported_and_run(theirs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["import", str(theirs), "--data", "photos"]) == 0
    out, err = capfd.readouterr()
    lines = out.splitlines()
    assert lines[0] == f"{theirs}: {SIDE}x{SIDE}x3 -> 3 logits; labels: ember, leaf, wood"
    assert lines[1] == "tried on 126 images of photos/calibration"
    assert lines[2].split() == ["pixels", "right"]
    assert lines[3].startswith("-1..1, BGR")
    assert len(lines[3:-2]) == 9
    shares = [float(line.split()[-1].rstrip("%")) for line in lines[3:-2]]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 80 > 60 > shares[-1]
    assert lines[-2:] == [
        "pixels -1..1, BGR",
        "saved imported/my-net-2.keras; export it with: edgecnn export imported/my-net-2.keras --int8 --data photos",
    ]
    assert not err or err.startswith("these images do not tell pixels -1..1, BGR from caffe")
    assert [path.name for path in Path("imported").iterdir()] == ["my-net-2.keras"]

    assert run(["export", "imported/my-net-2.keras", "--int8", "--data", "photos"]) == 0
    said = f"my net (2).keras, SHA-256 {hashlib.sha256(theirs.read_bytes()).hexdigest()}"
    for form in ("tflite", "onnx"):
        classifier = Classifier.open(file := Path(f"imported/my-net-2-int8.{form}"))
        assert classifier.contract.training == {"imported_from": said, "pixels": "-1..1, BGR"}
        assert (classifier.contract.input.fit, classifier.contract.input.filter) == ("stretch", "bilinear")
        for name, shade in SHADES.items():
            wide = np.full((SIDE, 2 * SIDE, 3), shade, np.uint8)
            assert classifier.classify(Image.fromarray(wide))[0].label == name
        capfd.readouterr()
        assert run(["info", str(file), "--card"]) == 0
        card = capfd.readouterr().out
        assert "taken in, by `edgecnn import`, from" in card
        assert "my net" in card


@pytest.mark.usefixtures("photos")
def test_a_wrong_scale_that_was_named_is_told(theirs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["import", str(theirs), "--data", "photos", "--out", "a/net.keras"]
    assert run([*words, "--pixels", "-1..1", "--bgr", "--fit", "crop", "--filter", "nearest"]) == 0
    out, err = capfd.readouterr()
    assert not err
    spec = keras_file.read_about(Path("a/net.keras")).input
    assert (spec.fit, spec.filter) == ("crop", "nearest")
    assert run([*words, "--pixels", "120/128", "--bgr"]) == 0
    out, err = capfd.readouterr()
    assert len(out.splitlines()) == 15  # one more than are usual
    assert (out.splitlines()[-2], err) == ("pixels 120/128, BGR", "")
    assert run([*words, "--pixels", "80/128", "--bgr"]) == 0
    out, err = capfd.readouterr()
    assert out.splitlines()[-2] == "pixels 80/128, BGR"
    assert err == "with pixels -1..1, BGR the network knows more of them than with 80/128, BGR, which was named\n"
    before = Path("a/net.keras").read_bytes()
    assert run([*words, "--pixels", "0..255"]) == 1
    assert capfd.readouterr().err.startswith("error: with pixels 0..255 the model knows only")
    assert Path("a/net.keras").read_bytes() == before


@pytest.mark.usefixtures("photos")
def test_labels_in_another_order(theirs: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("labels.txt").write_text("wood\nember\nleaf\n")
    assert run(["import", str(theirs), "--data", "photos", "--labels", "labels.txt"]) == 1
    error = capfd.readouterr().err
    assert error.startswith("error: the model knows ")
    assert error.endswith(
        "of photos/calibration with pixels -1..1, BGR if its outputs stand for the labels in another order; give that "
        "with --labels: ember, leaf, wood\n"
    )
    assert not Path("imported").exists()


def test_without_pictures(theirs: Path, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("labels.txt").write_text("ember\nleaf\nwood\n")
    words = ["import", str(theirs), "--labels", "labels.txt"]
    assert run(words) == 2
    assert "does not say how its pixels were scaled: name --pixels (most often 0..1" in capfd.readouterr().err
    assert run([*words, "--pixels", "-1..1", "--bgr", "--out", "net.keras"]) == 0
    assert capfd.readouterr().out.splitlines()[-1] == (
        "saved net.keras; export it with: edgecnn export net.keras --int8 --calibration PICTURES"
    )
    for number in range(60):
        (here / "any").mkdir(exist_ok=True)
        Image.fromarray(picture(list(SHADES)[number % 3])).save(here / "any" / f"{number:02}.png")
    assert run(["export", "net.keras", "--int8", "--calibration", "any", "--format", "tflite"]) == 0
    contract = Classifier.open(Path("net-int8.tflite")).contract
    assert contract.parity["data"] == "any/comparison"
    assert run(["export", "net.keras", "--int8"]) == 2
    assert "name labelled ones with --data, or a folder of others with --calibration" in capfd.readouterr().err


@pytest.mark.usefixtures("here")
def test_keras_2(capfd: pytest.CaptureFixture[str]) -> None:
    Path("labels.json").write_text(json.dumps({"cat": 0, "dog": 1}))
    assert run(["import", str(DATA / "nested.h5"), "--labels", "labels.json"]) == 0
    assert capfd.readouterr().out.splitlines() == [
        f"{DATA / 'nested.h5'}: 16x16x3 -> one logit; labels: cat, dog",
        "pixels 0..255: its first layers scale them",
        "saved imported/nested.keras; export it with: "
        "edgecnn export imported/nested.keras --int8 --calibration PICTURES",
    ]


class TestWrongWords:
    @pytest.mark.parametrize(
        ("words", "status", "message"),
        [
            ([], 2, "does not say what its outputs mean: name --labels, or --data with labelled pictures"),
            (["--labels", "two.txt", "--bgr"], 2, "--bgr goes with --pixels"),
            (
                ["--labels", "two.txt", "--size", "8x8x3"],
                2,
                "--size 8x8x3 is no size in pixels, 1 to 2,048 a side; write",
            ),
            (["--labels", "two.txt", "--size", "99999"], 2, "--size 99999 is no size"),
            (["--labels", "two.txt", "--size", "0x5"], 2, "--size 0x5 is no size"),
            (["--labels", "two.txt", "--pixels", "0-1"], 2, "--pixels 0-1 is not known"),
            (["--labels", "two.txt", "--pixels", "0..1"], 1, "tells 3 labels apart, and two.txt names 2: give the"),
            (["--labels", "two.txt", "--out", "a.h5"], 2, "--out a.h5 must end in .keras"),
            (["--labels", "two.txt", "--out", "a b.keras"], 2, "exported files are called after it"),
            (["--labels", "none.txt"], 1, "the labels none.txt cannot be read"),
            (["--data", "none"], 1, "none does not exist"),
            (["--data", "cifar10"], 1, "the images of cifar10 are 32x32, and "),
        ],
    )
    @pytest.mark.usefixtures("here")
    def test_told(
        self, words: list[str], status: int, message: str, theirs: Path, capfd: pytest.CaptureFixture[str]
    ) -> None:
        Path("two.txt").write_text("a\nb\n")
        assert run(["import", str(theirs), *words]) == status
        error = capfd.readouterr().err
        assert error.startswith("error: ")
        assert message in error
        assert error.count("\n") == 1
        assert sorted(path.name for path in Path().iterdir()) == ["two.txt"]

    @pytest.mark.usefixtures("here")
    def test_a_file_that_is_not_an_import_stays(self, theirs: Path, capfd: pytest.CaptureFixture[str]) -> None:
        Path("three.txt").write_text("a\nb\nc\n")
        shutil.copy(theirs, "own.keras")
        before = Path("own.keras").read_bytes()
        words = ["import", "own.keras", "--labels", "three.txt", "--pixels", "0..1"]
        assert run([*words, "--out", "own.keras"]) == 2
        assert "own.keras is there and is not of an earlier import; choose another --out" in capfd.readouterr().err
        assert Path("own.keras").read_bytes() == before
        for _ in range(2):  # an import may be made again
            assert run(words) == 0

    @pytest.mark.usefixtures("here")
    def test_other_commands_tell_of_import(self, theirs: Path, capfd: pytest.CaptureFixture[str]) -> None:
        shutil.copy(DATA / "teachable.h5", "a.h5")
        for verb, *others in (("export", "--int8"), ("evaluate",), ("inspect", "a.png"), ("parity", "b.onnx")):
            for file in (theirs, Path("a.h5"))[: 1 if verb == "evaluate" else 2]:
                assert run([verb, str(file), *others]) == 1
                error = capfd.readouterr().err
                assert error.startswith(f"error: {file} ")
                assert "edgecnn import makes" in error


def test_help_loads_nothing_slow() -> None:
    code = "import sys; from edgecnn.cli.main import run; run(['import', '--help']); print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert "Take in a network that others trained, of Keras 2 or 3." in out
    assert not {"numpy", "keras", "tensorflow", "jax", "PIL"} & set(out.split())
