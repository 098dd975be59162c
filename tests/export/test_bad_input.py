"""Models that cannot be exported and disks that are full: one line that says why, and nothing half-written."""

from __future__ import annotations

import json
import math
import resource
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.cli.main import run as edgecnn
from edgecnn.data import samples
from edgecnn_export import keras_file
from edgecnn_export.alone import alone
from edgecnn_export.calibration import from_folder
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import export, export_model
from edgecnn_runtime import container
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import EdgeCNNError, ExportError

MODELS = Path(__file__).parents[2] / "edgecnn" / "models"
BASELINE = Path(__file__).parents[2] / "models" / "baseline.keras"
Build = Callable[[Any, Any], tuple[Any, Any]]


@pytest.fixture(autouse=True)
def no_cifar10(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))


@pytest.mark.parametrize("name", ["../../net", "/tmp/net", "a/b", ".hidden", "", "a\nb", "a\x1b[2J"])
def test_a_name_that_leads_out_of_the_folder(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    about = {"name": name, "labels": ["a", "b"], "input": {"height": 32, "width": 32}, "training": {}}
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as archive:
        archive.writestr("edgecnn.json", json.dumps(about))
    with pytest.raises(ExportError, match="cannot be part of a file's name"):
        keras_file.read_about(tmp_path / "model.keras")
    assert edgecnn(["export", str(tmp_path), "--int8", "--out", str(tmp_path / "out")]) == 1
    assert "cannot be part of a file's name" in capsys.readouterr().err
    assert [each.name for each in tmp_path.rglob("*")] == ["model.keras"]


def two_inputs(baseline: Any, pixels: Any) -> tuple[Any, Any]:
    import keras

    other = keras.Input((32, 32, 3))
    return [pixels, other], (baseline(pixels) + baseline(other)) / 2


def two_outputs(baseline: Any, pixels: Any) -> tuple[Any, Any]:
    return pixels, [baseline(pixels), baseline(pixels)]


def an_output_by_name(baseline: Any, pixels: Any) -> tuple[Any, Any]:
    return pixels, {"answer": baseline(pixels)}


def another_size(baseline: Any, _: Any) -> tuple[Any, Any]:
    import keras

    large = keras.Input((64, 64, 3))
    return large, baseline(keras.layers.AveragePooling2D(2)(large))


def no_softmax(baseline: Any, pixels: Any) -> tuple[Any, Any]:
    return pixels, 7 * baseline(pixels)


def below_zero(baseline: Any, pixels: Any) -> tuple[Any, Any]:
    """Their sum is 1 all the same."""
    return pixels, 1.5 * baseline(pixels) - 0.05


def a_function(baseline: Any, pixels: Any) -> tuple[Any, Any]:
    import keras

    return pixels, baseline(keras.layers.Lambda(lambda x: x * 1.0)(pixels))


def an_unknown_layer(baseline: Any, pixels: Any) -> tuple[Any, Any]:
    import keras

    class Mine(keras.layers.Layer):  # type: ignore[misc]
        def call(self, x: Any) -> Any:
            return x

    return pixels, baseline(Mine()(pixels))


def singular_values(baseline: Any, pixels: Any) -> tuple[Any, Any]:
    """Neither TFLite nor ONNX has an operator for them."""
    import keras

    answer = baseline(pixels)
    values = keras.ops.svd(keras.ops.reshape(answer, (-1, 5, 2)), compute_uv=False)
    return pixels, keras.ops.softmax(20 * answer + 1e-3 * keras.ops.concatenate([values] * 5, -1))


def saved(build: Build, baseline: Any, folder: Path) -> Path:
    import keras

    about = keras_file.About("bad", samples.test().label_names, InputSpec(32, 32))
    path = folder / "bad.keras"
    keras_file.save(path, keras.Model(*build(baseline, keras.Input((32, 32, 3)))), about)
    return path


def error_of(words: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    """The one line that a failing command says on standard error."""
    assert edgecnn(words) == 1
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("error: ")
    return line.removeprefix("error: ")


@pytest.mark.parametrize(
    ("build", "complaint"),
    [
        (two_inputs, "has 2 inputs and 1 output; expected a picture in and the probabilities out"),
        (two_outputs, "has 1 input and 2 outputs; expected a picture in and the probabilities out"),
        (an_output_by_name, "has 1 input and 1 output by name; expected a picture in and the probabilities out"),
        (another_size, "takes (64, 64, 3) and not (32, 32, 3), as its input is said to be"),
        (no_softmax, "its last layer must be a softmax"),
        (below_zero, "its last layer must be a softmax"),
        (a_function, "cannot be loaded by Keras ("),
        (an_unknown_layer, "bad.keras has the layer Mine, which is none of Keras 3's own"),
    ],
)
def test_models_that_are_no_classifier_of_pictures(
    build: Build, complaint: str, baseline: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = saved(build, baseline, tmp_path)
    assert complaint in error_of(["export", str(path), "--out", str(tmp_path / "out")], capfd)
    assert complaint in error_of(["evaluate", str(path)], capfd)
    assert not (tmp_path / "out").exists()


def test_an_exported_file_is_not_exported_again(capfd: pytest.CaptureFixture[str]) -> None:
    file = MODELS / "edge-s-int8.tflite"
    complaint = f"{file} is an exported file; name the run or the .keras file that it was made from"
    assert error_of(["export", str(file)], capfd) == complaint


@pytest.mark.filterwarnings("ignore:You are saving a model that has not yet been built")
@pytest.mark.usefixtures("baseline")
def test_a_model_without_an_input(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    import keras

    path = tmp_path / "bad.keras"
    model = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")], name="loose")
    keras_file.save(path, model, keras_file.About("bad", samples.test().label_names, InputSpec(32, 32)))
    complaint = "loose has no input yet; give it one (keras.Input) before it is saved"
    assert error_of(["export", str(path), "--out", str(tmp_path / "out")], capfd) == complaint


@pytest.mark.usefixtures("baseline")
def test_words_that_cannot_be_written_stop_no_export(tmp_path: Path) -> None:
    """A folder whose name is not UTF-8, or a training that noted no number, is no part of what is proved."""
    import keras

    about = keras_file.About(
        "odd", samples.test().label_names, InputSpec(32, 32), {"data": "fotos\udce9", "loss": math.nan}
    )
    pixels = keras.Input((32, 32, 3))
    keras_file.save(tmp_path / "odd.keras", keras.Model(pixels, keras.layers.Flatten()(pixels)), about)
    assert keras_file.read_about(tmp_path / "odd.keras").training == {"data": "fotos?", "loss": None}


@pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
@pytest.mark.usefixtures("baseline")
def test_a_damaged_keras_file(member: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path, data = tmp_path / "damaged.keras", bytearray(BASELINE.read_bytes())
    with zipfile.ZipFile(BASELINE) as archive:
        about = archive.getinfo(member)
    data[about.header_offset + 30 + len(member) + about.compress_size // 2] ^= 1
    path.write_bytes(data)
    complaint = f"{path} is damaged ("
    assert error_of(["evaluate", str(path)], capfd).startswith(complaint)
    assert error_of(["export", str(path), "--out", str(tmp_path / "out")], capfd).startswith(complaint)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("form", "precision"), [("tflite", "fp32"), ("tflite", "int8"), ("onnx", "fp32"), ("onnx", "int8")]
)
def test_operators_that_a_format_does_not_have(
    form: str, precision: str, baseline: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path, out = saved(singular_values, baseline, tmp_path), tmp_path / "out"
    words = ["export", str(path), "--format", form, "--precision", precision, "--out", str(out)]
    line = error_of(words, capfd)
    assert "cannot" in line
    assert "Svd" in line
    assert not list(out.iterdir())


@pytest.mark.parametrize(
    "change",
    [
        {"input": {"height": "8", "width": 8}},
        {"input": {"height": 8, "width": 8, "filter": "foo"}},
        {"input": {"height": 0, "width": 8}},
        {"labels": []},
        {"labels": "cat"},
        {"labels": [1, 2]},
        {"training": 7},
        {"training": "seven"},
    ],
    ids=str,
)
def test_a_keras_file_that_says_something_else_of_itself(change: dict[str, Any], tmp_path: Path) -> None:
    said = {"name": "odd", "labels": ["a", "b"], "input": {"height": 8, "width": 8}, "training": {}}
    for about in (said, said | change):
        with zipfile.ZipFile(tmp_path / "odd.keras", "w") as archive:
            archive.writestr("edgecnn.json", json.dumps(about))
        if about is said:
            assert keras_file.read_about(tmp_path / "odd.keras").labels == ("a", "b")
    with pytest.raises(ExportError, match="does not say what its labels are"):
        keras_file.read_about(tmp_path / "odd.keras")


def test_one_export_at_a_time_goes_into_a_folder(
    baseline_path: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path
) -> None:
    with (
        alone(tmp_path),
        pytest.raises(EdgeCNNError, match=r"^another process is at work in .*; wait until it has ended, or choose"),
    ):
        export(baseline_path, ["onnx"], ["fp32"], tmp_path, calibration, evaluation)
    assert not list(tmp_path.iterdir())


def test_too_few_images_to_calibrate_on(
    baseline_path: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path
) -> None:
    few = calibration.subset("few", np.arange(19))
    with pytest.raises(ExportError, match="few has 19 images; calibration needs at least 20"):
        export(baseline_path, ["onnx"], ["int8"], tmp_path / "out", few, evaluation)
    assert not (tmp_path / "out").exists()
    export(baseline_path, ["onnx"], ["fp32"], tmp_path / "out", few, evaluation)  # floats need none


def test_one_image_in_both_sets(
    baseline_path: Path, calibration: Dataset, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "mine", tmp_path / "out"
    folder.mkdir()
    images = [*calibration.images[:30], samples.test().images[17]]
    for index, image in enumerate(images):
        Image.fromarray(image).save(folder / f"{index:02}.png")
    words = ["export", str(baseline_path), "--int8", "--format", "tflite", "--out", str(out)]
    assert edgecnn([*words, "--calibration", str(folder)]) == 0
    assert "not calibrated on what cifar10/test-1000 has, too: 1 of 31 images of mine\n" in capfd.readouterr().out
    contract, _ = container.read(out / "baseline-int8.tflite")
    assert contract.calibration["images"] == 30
    own = from_folder(folder, InputSpec(32, 32)).subset("mine", np.arange(30))
    assert contract.calibration["fingerprint"] == own.fingerprint


# Without room for a temporary SavedModel, TensorFlow converts in another way and warns.
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs:UserWarning")
@pytest.mark.parametrize("limit", [100_000, 500_000])
@pytest.mark.parametrize("form", ["tflite", "onnx", "savedmodel", "keras"])
def test_a_full_disk(
    form: str,
    limit: int,
    baseline: Any,
    baseline_path: Path,
    calibration: Dataset,
    evaluation: Dataset,
    tmp_path: Path,
) -> None:
    """The int8 files take 230 kB and the others 930 kB; the images that the interpreters get, 920 kB."""
    out = tmp_path / "out"
    out.mkdir()
    precision = "int8" if form in {"tflite", "onnx"} else "fp32"
    good = out / f"baseline-{precision}.{form}"
    good.write_text("yesterday's")
    about = keras_file.read_about(baseline_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limits[1]))
    try:
        with pytest.raises(ExportError) as raised:
            export_model(baseline, about, [form], [precision], out, calibration, evaluation)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    message = str(raised.value)
    assert "cannot" in message
    assert "None" not in message
    assert "\n" not in message
    assert [path.name for path in out.iterdir()] == [good.name]
    assert good.read_text() == "yesterday's"
