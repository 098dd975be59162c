"""``edgecnn inspect`` from outside: which files come of it, and what is said when none does."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn import zoo
from edgecnn.cli.main import run
from edgecnn.data import imagenet, samples
from edgecnn.models import carried
from edgecnn_export import keras_file
from edgecnn_export.keras_file import About
from edgecnn_runtime.contract import InputSpec
from tests.permissions import as_anybody

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "runtime" / "data" / "tiny-fp32.onnx"

pytestmark = pytest.mark.usefixtures("keras")


@pytest.fixture(autouse=True)
def there(here: Path) -> Path:
    """A folder with a trained network in ``models/`` and a picture."""
    (here / "models").mkdir()
    shutil.copy(ROOT / "models" / "baseline.keras", here / "models")
    shutil.copy(ROOT / "docs" / "pictures" / "frog.png", here / "frog.png")
    return here


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


OF_BASELINE = ["contact-sheet.png", "filters-1-conv.png", "grad-cam.png", "maps-1-conv.png", "maps-2-pool.png"]


def test_a_network_by_its_name(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "baseline", "frog.png"]) == 0
    out, err = capsys.readouterr()
    assert files(there / "inspect" / "baseline-frog") == OF_BASELINE
    lines = [line.partition(": ") for line in out.splitlines()]
    assert [Path(name).parent for name, _, _ in lines] == [Path("inspect/baseline-frog")] * 5
    assert sorted(Path(name).name for name, _, _ in lines) == OF_BASELINE
    shown = {Path(name).name: shows for name, _, shows in lines}
    assert shown["grad-cam.png"].startswith("Grad-CAM at conv: frog ")
    assert not err
    for name in OF_BASELINE:
        with Image.open(there / "inspect" / "baseline-frog" / name) as picture:
            assert min(picture.size) >= 1400, "for print"
    assert files(there) == ["frog.png", "inspect", "models"]


def test_a_run_and_one_layer_of_it(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (there / "run").mkdir()
    shutil.copy(ROOT / "models" / "baseline.keras", there / "run" / "model.keras")
    (there / "out").mkdir()
    (there / "out" / "mine.txt").write_text("mine")
    (there / "out" / "grad-cam.png").write_text("old")
    assert run(["inspect", "run", "frog.png", "--layer", "pool", "--top", "1", "--out", "out"]) == 0
    assert files(there / "out") == ["contact-sheet.png", "grad-cam.png", "maps-1-pool.png", "mine.txt"]
    assert (there / "out" / "mine.txt").read_text() == "mine"
    assert (there / "out" / "grad-cam.png").read_bytes().startswith(b"\x89PNG")
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "Grad-CAM" in line]
    assert line.count("%") == 1


def test_two_runs_of_a_network_have_a_folder_each(there: Path) -> None:
    for name in ("run", "run-2"):
        (there / name).mkdir()
        shutil.copy(ROOT / "models" / "baseline.keras", there / name / "model.keras")
        assert run(["inspect", name, "frog.png", "--layer", "pool", "--top", "1"]) == 0
    assert files(there / "inspect") == ["run-2-frog", "run-frog"]


def test_an_exported_file(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy(carried("onnx"), there / "mine.onnx")
    assert run(["inspect", "mine.onnx", "frog.png", "--top", "2"]) == 0
    assert files(there / "inspect" / "mine-frog") == ["contact-sheet.png", "occlusion.png"]
    assert "occlusion.png: occlusion: frog 96" in capsys.readouterr().out


@pytest.mark.parametrize(("words", "name"), [(["edge"], "edge"), (["-1,-1,-1,-1,8,-1,-1,-1,-1"], "kernel")])
def test_a_kernel(there: Path, words: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", "--kernel", *words, "frog.png", "--stride", "4", "--padding", "valid"]) == 0
    out = there / "inspect" / f"{name}-frog"
    assert files(out) == ["convolution.png", "pooling.png", "stride-and-padding.png"]
    assert capsys.readouterr().out.splitlines() == [
        f"inspect/{name}-frog/convolution.png: before and after: stride 4, padding valid",
        f"inspect/{name}-frog/stride-and-padding.png: strides 1, 2, 4, with and without padding",
        f"inspect/{name}-frog/pooling.png: max against average pooling of 2 x 2, after ReLU",
    ]


def test_a_network_with_imagenet_weights(there: Path) -> None:
    """Another size, a thousand classes, and weights of its own file."""
    zoo.find("mobilenet_v3_small").build(1000).save_weights(there / "random.weights.h5")
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (60, 90, 3), np.uint8)).save(there / "large.png")
    words = ["inspect", "mobilenet_v3_small", "large.png", "--weights", "random.weights.h5"]
    assert run([*words, "--layer", "expanded_conv_depthwise", "--out", "out"]) == 0
    assert files(there / "out") == [
        "contact-sheet.png",
        "filters-1-expanded_conv_depthwise.png",
        "grad-cam.png",
        "maps-1-expanded_conv_depthwise.png",
    ]


@pytest.mark.full
@pytest.mark.parametrize(("name", "pictures"), [("vgg16", 18 + 2), ("resnet50", 54 + 2)])
def test_large_pretrained_networks(name: str, pictures: int, there: Path) -> None:
    network = zoo.find(name)
    about = About(name, imagenet.labels(), imagenet.input_spec(network.height, network.width))
    keras_file.save(there / f"{name}.keras", network.build(1000), about)
    assert run(["inspect", f"{name}.keras", "frog.png", "--out", "out"]) == 0
    assert len(files(there / "out")) == pictures + 2


@pytest.fixture
def dense(keras: Any, there: Path) -> Path:
    pixels = keras.Input((4, 4, 3), name="pixels")
    model = keras.Model(
        pixels, keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(pixels)), name="flat"
    )
    keras_file.save(there / "flat.keras", model, About("flat", ("a", "b"), InputSpec(4, 4)))
    return there / "flat.keras"


@pytest.mark.usefixtures("dense")
@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["baseline", "frog.png", "--layer", "cnv"], 2, "no layer called 'cnv'; there are, for instance, conv"),
        (["baseline", "frog.png", "--layer", "dense"], 2, "the layer dense of baseline has no feature maps"),
        (["flat.keras", "frog.png"], 2, "flat has no convolution whose maps could be shown"),
        (["baselin", "frog.png"], 2, "no network is called 'baselin'; there are, for instance, baseline"),
        (["resnet20", "frog.png"], 2, "there are no ImageNet weights for resnet20; name the folder of its run"),
        (["none.keras", "frog.png"], 1, "none.keras does not exist"),
        (["none.onnx", "frog.png"], 1, "none.onnx"),
        (["baseline", "none.png"], 1, "none.png: no such file"),
        (["baseline", "models/baseline.keras"], 1, "not a picture in a known format"),
        ([str(TINY), "frog.png", "--layer", "conv"], 2, "is an exported file"),
        (["baseline", "frog.png", "--weights", "w.h5"], 2, "there are no ImageNet weights for baseline"),
        (["flat.keras", "frog.png", "--weights", "w.h5"], 2, "--weights goes with the name of a network"),
        (["baseline"], 2, "name a model and a picture, or a --kernel and a picture"),
        (["baseline", "frog.png", "frog.png"], 2, "name a model and a picture"),
        (["baseline", "frog.png", "--stride", "2"], 2, "--stride and --padding go with --kernel"),
        (["--kernel", "edge", "baseline", "frog.png"], 2, "--kernel takes one picture and no model"),
        (["--kernel", "edge", "frog.png", "--layer", "conv"], 2, "--layer, --top and --weights go with a model"),
        (["--kernel", "edge", "frog.png", "--top", "3"], 2, "--layer, --top and --weights go with a model"),
        (["--kernel", "1,2,3", "frog.png"], 2, "3 numbers, which make no square; give 1 or 4"),
        (["--kernel", "edges", "frog.png"], 2, "the kernel 'edges' is neither"),
        (["--kernel", "edge", "frog.png", "--stride", "0"], 2, "--stride"),
        (["--kernel", "edge", "frog.png", "--stride", "2147483648"], 2, "--stride"),
        (["--kernel", "edge", "frog.png", "--padding", "some"], 2, "--padding"),
        (["--kernel", ",".join(["1"] * 33**2), "frog.png"], 2, "a window of 33 x 33 does not fit into 32 pixels"),
        (["--kernel", "edge", "frog.png", "--stride", "40"], 2, "a window of 2 x 2 does not fit into 1 pixels"),
        (["--kernel", "edge", "none.png"], 1, "none.png: no such file"),
        (["--kernel", "edge", "frog.png", "--out", "frog.png/x"], 1, "frog.png/x cannot be written (Not a directory)"),
        (["--kernel", "edge", "frog.png", "--out", "frog.png"], 1, "frog.png cannot be written (Not a directory)"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(
    words: list[str], status: int, message: str, there: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(there.rglob("*"))
    assert run(["inspect", *words]) == status
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert err.startswith("error: ")
    assert message in err
    assert sorted(there.rglob("*")) == before


def test_a_folder_that_may_not_be_written(there: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (there / "closed").mkdir(mode=0o555)
    words = ["inspect", "--kernel", "edge", "frog.png", "--out"]
    assert run([*words, "out"]) == 0  # imports what nobody may not
    with as_anybody():
        assert run([*words, "closed/out"]) == 1
    assert "closed/out cannot be written (Permission denied); choose another --out" in capsys.readouterr().err


def test_a_disk_that_is_full_leaves_what_was_there(there: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last picture cannot be drawn: the folder has the old ones, and no new one."""
    words = ["inspect", "--kernel", "edge", "frog.png", "--out", "out"]
    assert run(words) == 0
    before = {name: (there / "out" / name).read_bytes() for name in files(there / "out")}
    Image.fromarray(samples.test().images[0]).save(there / "frog.png")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edgecnn.plots.pooling", full)
    assert run(words) == 1
    assert {name: (there / "out" / name).read_bytes() for name in files(there / "out")} == before
    assert files(there) == ["frog.png", "models", "out"]
