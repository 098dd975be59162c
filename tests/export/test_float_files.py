"""SavedModels and ``.keras`` files as exports: reloaded from disk, compared, and written with their contract."""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecnn.cli.main import run as edgecnn
from edgecnn.data import samples
from edgecnn_export import artifact, keras_file
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import export_model
from edgecnn_export.gate import expected_signature
from edgecnn_export.proof import Reference, golden
from edgecnn_export.reference import predict
from edgecnn_export.scoring import Scores, score_everywhere
from edgecnn_runtime.contract import Contract, InputSpec
from edgecnn_runtime.errors import ExportError

SAVED_MODEL, KERAS = "baseline-fp32.savedmodel", "baseline-fp32.keras"


def test_names_and_nothing_else(other_ways: Path) -> None:
    proved = {"baseline-int8.tflite", SAVED_MODEL, KERAS}
    beside = {f"{name}.{kind}" for name in proved for kind in ("json", "md")}
    written = {"baseline_int8.c", "baseline_int8.h", *proved, *beside}
    assert {path.name for path in other_ways.iterdir()} == written


def test_a_keras_file_may_call_its_layers_anything(baseline: Any, evaluation: Dataset, tmp_path: Path) -> None:
    import keras

    pixels = keras.Input((32, 32, 3), name="photograph")
    about = keras_file.About("named", evaluation.label_names, InputSpec(32, 32))
    export_model(keras.Model(pixels, baseline(pixels)), about, ["keras"], [], tmp_path, None, evaluation)
    assert (tmp_path / "named-fp32.keras").exists()


def test_images_and_labels_of_any_number_leave_a_readable_proof() -> None:
    for height, width, labels, count in ((2100, 2100, 3, 3), (1025, 4096, 3, 3), (4096, 4096, 3, 1), (4, 4, 21_841, 5)):
        images = np.zeros((20, 1, 1, 3), np.uint8)
        few = Dataset(
            "large",
            np.broadcast_to(images, (20, height, width, 3)),
            np.zeros(20, np.int64),
            tuple(map(str, range(labels))),
        )
        answers = np.full((20, labels), 1 / labels, np.float32)
        contract = Contract("large", "tflite", "fp32", few.label_names, InputSpec(height, width))
        scores = [Scores(name, answers, 0.1, expected_signature(contract)) for name in ("a 1", "b 1")]
        made = replace(contract, golden=golden(Reference(few, answers, None), scores))
        assert made.golden is not None
        assert made.golden.count == count
        assert Contract.from_json(made.to_json()) == made


def test_the_saved_model_takes_pixels_and_gives_probabilities(other_ways: Path, baseline: Any) -> None:
    import tensorflow as tf

    serve = tf.saved_model.load(str(other_ways / SAVED_MODEL)).signatures["serving_default"]
    _, given = serve.structured_input_signature
    assert {name: (spec.dtype, spec.shape.as_list()) for name, spec in given.items()} == {
        "pixels": (tf.uint8, [None, 32, 32, 3])
    }
    assert {name: (spec.dtype, spec.shape.as_list()) for name, spec in serve.structured_outputs.items()} == {
        "probabilities": (tf.float32, [None, 10])
    }
    images = samples.test().images[:50]
    scores = serve(pixels=tf.constant(images))["probabilities"].numpy()
    assert np.abs(scores - predict(baseline, images)).max() < 1e-5


def test_a_saved_model_holds_each_weight_once(other_ways: Path, baseline: Any) -> None:
    size = (other_ways / SAVED_MODEL / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert 4 * baseline.count_params() <= size < 4.1 * baseline.count_params()


def test_the_keras_file_is_the_model_and_one_of_ours(other_ways: Path, baseline: Any, baseline_path: Path) -> None:
    model, about = keras_file.load(other_ways / KERAS)
    assert about == keras_file.read_about(baseline_path)
    for weight, expected in zip(model.get_weights(), baseline.get_weights(), strict=True):
        assert (weight == expected).all()


def members(path: Path) -> dict[str, bytes]:
    """What the SavedModel's folder or the archive holds, by names."""
    if path.is_dir():
        files = [each for each in path.rglob("*") if each.is_file()]
        return {each.relative_to(path).as_posix(): each.read_bytes() for each in files}
    with zipfile.ZipFile(path) as archive:
        return {each: archive.read(each) for each in archive.namelist()}


@pytest.mark.parametrize(
    ("name", "form", "where"),
    [(SAVED_MODEL, "savedmodel", "assets.extra/edgecnn.json"), (KERAS, "keras", "edgecnn-contract.json")],
)
def test_the_contract_goes_with_it(name: str, form: str, where: str, other_ways: Path) -> None:
    held = members(other_ways / name)
    contract = Contract.from_json(held.pop(where))
    assert (contract.model, contract.format, contract.precision) == ("baseline", form, "fp32")
    assert (contract.labels, contract.input) == (samples.test().label_names, InputSpec(32, 32))
    (result,) = contract.parity["results"]
    assert (contract.parity["images"], result["passed"], result["size"]) == (1000, True, sum(map(len, held.values())))
    assert result["backend"].split()[0] == {"savedmodel": "tensorflow", "keras": "keras"}[form]
    assert result["difference"] < 1e-5
    assert contract.golden is not None
    # As sha256sum prints it for all files by name, and then for what it printed.
    listing = "".join(f"{hashlib.sha256(held[each]).hexdigest()}  {each}\n" for each in sorted(held))
    assert contract.payload_sha256 == hashlib.sha256(listing.encode()).hexdigest()


def test_another_model_is_refused_and_what_was_there_stays(
    other: Any,
    baseline_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    convert = artifact.convert
    monkeypatch.setattr(artifact, "convert", lambda _, *rest: convert(other, *rest))
    out = tmp_path / "out"
    (out / SAVED_MODEL).mkdir(parents=True)
    (out / SAVED_MODEL / "saved_model.pb").write_text("yesterday's")
    (out / KERAS).write_text("yesterday's")
    words = ["export", str(baseline_path), "--out", str(out)]
    assert edgecnn([*words, "--format", "savedmodel", "--format", "keras"]) == 1
    error = capfd.readouterr().err
    assert f"{SAVED_MODEL}: values: largest difference " in error
    assert f"{KERAS}: values: largest difference " in error
    assert {path.name for path in out.iterdir() if "tmp" in path.name} == set()
    assert (out / SAVED_MODEL / "saved_model.pb").read_text() == (out / KERAS).read_text() == "yesterday's"


def test_what_cannot_be_reloaded_fails_with_one_line(tmp_path: Path) -> None:
    (tmp_path / SAVED_MODEL).mkdir()
    with pytest.raises(ExportError, match=rf"^tensorflow failed on {SAVED_MODEL}: [^\n]+$"):
        score_everywhere(tmp_path / SAVED_MODEL, "savedmodel", samples.test().images[:2])


def test_what_a_layer_keeps_outside_of_the_weights_is_saved_too(tmp_path: Path) -> None:
    """Normalization's mean and variance are constants of the layer and not weights of the model."""
    import keras
    import tensorflow as tf
    from keras import layers

    keras.utils.set_random_seed(0)
    pixels = keras.Input((8, 8, 3))
    x = layers.Normalization(mean=[120.0, 100.0, 90.0], variance=[60.0, 50.0, 40.0])(pixels)
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(x))
    model = keras.Model(pixels, layers.Dense(3, activation="softmax")(x))
    about = keras_file.About("x", ("a", "b", "c"), InputSpec(8, 8))
    contract = Contract("x", "savedmodel", "fp32", about.labels, about.input)
    artifact.write(tmp_path / "x", artifact.convert(model, about, "savedmodel"), contract)
    images = samples.test().images[:20, :8, :8]
    serve = tf.saved_model.load(str(tmp_path / "x")).signatures["serving_default"]
    scores = serve(pixels=tf.constant(images))["probabilities"].numpy()
    assert np.abs(scores - predict(model, images)).max() < 1e-5
