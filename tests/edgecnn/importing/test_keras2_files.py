"""Files that Keras 2 wrote, and what Keras 2 answered: see make_keras2_files.py."""

from __future__ import annotations

import errno
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecnn.importing import model_file
from edgecnn.importing.keras2 import modern
from edgecnn_export import keras_file
from edgecnn_runtime.errors import ExportError

DATA = Path(__file__).parent / "data"
ANSWERS = json.loads((DATA / "answers.json").read_text())
NOISE = np.random.default_rng(2).integers(0, 256, (4, 16, 16, 3)).astype(np.float32)


@pytest.mark.usefixtures("keras")
@pytest.mark.parametrize("file", ["nested.keras", "nested.h5", "teachable.h5"])
def test_keras_3_gives_the_answers_of_keras_2(file: str) -> None:
    path = DATA / file
    with pytest.raises(ExportError, match=f"{file} "):  # or else nothing here would have to be done
        keras_file.rebuild(path, path)
    given = NOISE if file.startswith("nested") else NOISE / 127.5 - 1
    answers = np.asarray(model_file.load(path).predict_on_batch(given))
    np.testing.assert_allclose(answers, ANSWERS[path.stem], atol=1e-5)
    assert np.ptp(answers, axis=0).min() > 1e-2  # or any network would do


def test_a_file_of_keras_3_is_left_as_it_is(keras: Any, tmp_path: Path) -> None:
    pixels = keras.Input((8, 8, 3))
    inner = keras.Sequential([keras.layers.RandomFlip(), keras.layers.DepthwiseConv2D(3)])
    outputs = keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(inner(pixels)))
    model, noise = keras.Model(pixels, outputs), NOISE[:, :8, :8]
    expected = model(noise, training=False)
    for suffix in ("keras", "h5"):
        model.save(path := tmp_path / f"theirs.{suffix}")
        before = path.read_bytes()
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(model_file, "modern", None)
            np.testing.assert_array_equal(model_file.load(path)(noise, training=False), expected)
        assert path.read_bytes() == before


def layer(kind: str, name: str, *inbound: Any, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": list(inbound)}


def functional(*layers: dict[str, Any], end: list[Any]) -> dict[str, Any]:
    config = {"name": "whole", "layers": list(layers), "input_layers": [["in", 0, 0]], "output_layers": [end]}
    return {"class_name": "Functional", "config": config}


@pytest.mark.parametrize(
    ("function", "options", "expected"),
    [
        ("math.truediv", {"y": 4.0}, 1.5),
        ("math.divide", {"y": 4.0}, 1.5),
        ("math.multiply", {"y": 4}, 24.0),
        ("math.add", {"y": 4}, 10.0),
        ("__operators__.add", {"y": 4}, 10.0),
        ("math.subtract", {"y": 4}, 2.0),
        ("cast", {"dtype": "float32"}, 6.0),
        ("math.multiply", {"y": ["in", 0, 0]}, 36.0),
        ("math.add", {"y": ["in", 0, 0]}, 12.0),
        ("__operators__.add", {"y": ["in", 0, 0]}, 12.0),
        ("math.subtract", {"y": ["in", 0, 0]}, 0.0),
    ],
)
def test_operators_of_tensorflow(keras: Any, function: str, options: dict[str, Any], expected: float) -> None:
    given = layer("InputLayer", "in", batch_input_shape=[None, 2], dtype="float32")
    operator = layer("TFOpLambda", "op", ["in", 0, 0, {**options, "name": None}], function=function)
    made = modern(functional(given, operator, end=["op", 0, 0]))
    model = keras.Model.from_config(made["config"])
    assert np.asarray(model(np.full((1, 2), 6.0, np.float32))).tolist() == [[expected, expected]]


@pytest.mark.usefixtures("keras")
def test_an_operator_without_a_layer_is_left_for_keras_to_refuse() -> None:
    operator = layer("TFOpLambda", "op", ["in", 0, 0, {"y": 4.0}], function="math.pow")
    assert modern(operator) == operator
    slicing = layer("SlicingOpLambda", "op", ["in", 0, 0, {"slice_spec": []}], function="__operators__.getitem")
    assert modern(slicing) == slicing


def test_a_sequential_that_tells_its_shape_in_the_first_layer(keras: Any) -> None:
    first = {"class_name": "Dense", "config": {"name": "a", "units": 3, "batch_input_shape": [None, 2]}}
    made = modern({"class_name": "Sequential", "config": {"name": "old", "layers": [first]}})
    assert keras.Sequential.from_config(made["config"]).input_shape == (None, 2)


@pytest.mark.usefixtures("keras")
def test_an_option_that_says_something_is_not_dropped() -> None:
    groups = modern({"class_name": "DepthwiseConv2D", "config": {"name": "a", "kernel_size": 3, "groups": 2}})
    assert groups["config"]["groups"] == 2
    plain = modern({"class_name": "DepthwiseConv2D", "config": {"name": "a", "kernel_size": 3, "groups": 1}})
    assert plain["config"] == {"name": "a", "kernel_size": 3}
    kept = modern({"class_name": "Conv2D", "config": {"name": "a", "groups": 1, "kernel_regularizer": None}})
    assert kept["config"] == {"name": "a", "groups": 1, "kernel_regularizer": None}


@pytest.mark.usefixtures("keras")
def test_what_reads_otherwise_in_keras_3() -> None:
    leaky = modern({"class_name": "LeakyReLU", "config": {"name": "a", "alpha": 0.0}})
    assert leaky["config"]["alpha"] == 0.0
    dropout = modern(
        {"class_name": "SpatialDropout2D", "config": {"name": "a", "rate": 0.5, "noise_shape": None, "trainable": True}}
    )
    assert dropout["config"] == {"name": "a", "rate": 0.5}
    policy = modern({"class_name": "Policy", "config": {"name": "mixed_float16"}})
    assert (policy["class_name"], policy["config"]) == ("DTypePolicy", {"name": "mixed_float16"})
    for activation in ("hard_sigmoid", {"class_name": "function", "config": "hard_sigmoid"}):
        with pytest.raises(ExportError, match="the layer a has Keras 2's hard_sigmoid, which is another function"):
            modern({"class_name": "LSTM", "config": {"name": "a", "recurrent_activation": activation}})


def test_layers_with_slashes_in_their_names(keras: Any) -> None:
    given = layer("InputLayer", "in", batch_input_shape=[None, 2], dtype="float32")
    first = layer("Dense", "a/b", [["in", 0, 0, {}]], units=3, activation="relu")
    second = layer("Dense", "a_b", [["a/b", 0, 0, {}]], units=4)
    model = keras.Model.from_config(modern(functional(given, first, second, end=["a_b", 0, 0]))["config"])
    assert [each.name for each in model.layers] == ["in", "a_b_", "a_b"]
    assert model.output_shape == (None, 4)


def test_a_kind_of_file_is_known_by_its_content(tmp_path: Path) -> None:
    for source, name in (("nested.keras", "a.h5"), ("nested.h5", "a.keras"), ("nested.h5", "a.model")):
        (tmp_path / name).write_bytes((DATA / source).read_bytes())
        assert model_file.load(tmp_path / name).output_shape == (None, 1)


class TestWhatIsNoModel:
    def test_missing_or_of_another_kind(self, tmp_path: Path) -> None:
        with pytest.raises(ExportError, match=r"none\.keras does not exist"):
            model_file.load(tmp_path / "none.keras")
        (tmp_path / "a.pt").write_bytes(b"x")
        (tmp_path / "saved").mkdir()
        for name in ("a.pt", "saved"):
            with pytest.raises(
                ExportError, match=rf'{name} is not a \.keras or \.h5 file that Keras saved; .*model\.save\("model'
            ):
                model_file.load(tmp_path / name)

    @pytest.mark.parametrize("suffix", ["keras", "h5"])
    def test_damaged(self, suffix: str, tmp_path: Path) -> None:
        whole = (DATA / f"nested.{suffix}").read_bytes()
        for content in (b"", b"PK\x03\x04 and so on", whole[: len(whole) // 2]):
            (path := tmp_path / f"a.{suffix}").write_bytes(content)
            with pytest.raises(ExportError, match=rf"a\.{suffix} is not a (model|\.keras or .*) that Keras saved"):
                model_file.load(path)

    def test_another_archive(self, tmp_path: Path) -> None:
        for metadata in (None, "{}", "[", '{"keras_version": null}'):
            with zipfile.ZipFile(path := tmp_path / "a.keras", "w") as archive:
                archive.writestr("a.txt", "")
                if metadata is not None:
                    archive.writestr("metadata.json", metadata)
            with pytest.raises(ExportError, match=r"a\.keras (is not a model|cannot be loaded)"):
                model_file.load(path)

    def test_weights_alone(self, keras: Any, tmp_path: Path) -> None:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
        model.save_weights(path := tmp_path / "a.weights.h5")
        with pytest.raises(ExportError, match=r"holds weights alone; save the whole model, by model\.save\('a.weights"):
            model_file.load(path)

    def test_python_in_it_is_not_run(self, keras: Any, tmp_path: Path) -> None:
        model = keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x), keras.layers.Dense(2)])
        for suffix in ("keras", "h5"):
            model.save(path := tmp_path / f"a.{suffix}")
            with pytest.raises(ExportError, match=rf"a\.{suffix} cannot be loaded by Keras"):
                model_file.load(path)

    @pytest.mark.parametrize("member", ["config.json", "model.weights.h5"])
    def test_parts_that_are_larger_than_a_models(self, member: str, tmp_path: Path) -> None:
        with zipfile.ZipFile(DATA / "nested.keras") as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path := tmp_path / "a.keras", "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in (members | {member: bytes(150_000_000)}).items():
                archive.writestr(name, content)
        with pytest.raises(ExportError, match=r"a\.keras is not a model .*its parts are larger than a model's"):
            model_file.load(path)

    def test_numbers_that_make_no_sense(self, tmp_path: Path) -> None:
        given = layer("InputLayer", "in", batch_input_shape=[None, 2], dtype="float32")
        for odd in (
            layer("TFOpLambda", "op", ["in", 0, 0, {"y": 0}], function="math.truediv"),
            layer("BatchNormalization", "op", [["in", 0, 0, {}]], axis=[]),
        ):
            with zipfile.ZipFile(path := tmp_path / "a.keras", "w") as archive:
                archive.writestr("metadata.json", json.dumps({"keras_version": "2.15.0"}))
                archive.writestr("config.json", json.dumps(functional(given, odd, end=["op", 0, 0])))
                archive.writestr("model.weights.h5", b"")
            with pytest.raises(ExportError, match=r"a\.keras is not a model that Keras saved"):
                model_file.load(path)

    def test_a_full_temporary_folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(shutil, "copyfile", full)
        with pytest.raises(ExportError, match="is full; make room there, or set TMPDIR"):
            model_file.load(DATA / "nested.h5")
