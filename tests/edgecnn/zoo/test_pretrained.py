"""Pretrained networks: the lesson's preprocessing, and from a name and a file of weights to a classified picture."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn import zoo
from edgecnn.cli.main import run as edgecnn
from edgecnn.data import imagenet, samples
from edgecnn.zoo import preprocessing
from edgecnn.zoo.network import Network
from edgecnn_runtime import container
from edgecnn_runtime.image import pixels


def _layers(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = layers.Conv2D(8, 5, strides=4, activation="relu", name="conv")(preprocessing.caffe(pixels))
    x = layers.Flatten()(x)
    return layers.Dense(classes, activation="softmax", dtype="float32", name="predictions")(x)


TINY = Network("tiny", _layers, 24, 24, classes=1000, parameters=0, multiply_adds=0, source="a test", pretrained=True)


@pytest.fixture
def tiny(keras: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A network with ImageNet's classes, by name; a file of weights whose answers differ from picture to picture."""
    monkeypatch.setitem(zoo.NETWORKS, "tiny", TINY)
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    model = TINY.build(1000)
    model.get_layer("predictions").bias.assign(np.zeros(1000))
    file = tmp_path / "tiny.npz"
    np.savez(file, **{f"{layer.name}/{each.name}": each.numpy() for layer in model.layers for each in layer.weights})
    return file


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for index, image in enumerate(samples.test().balanced("some", 8, seed=0).images):
        Image.fromarray(image).save(folder / f"{index:02}.png")
    return folder


def test_from_a_name_to_a_classified_picture(
    tiny: Path, photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert edgecnn(["export", "tiny", "--int8", "--calibration", str(photos), "--weights", str(tiny)]) == 0
    output = capfd.readouterr().out
    assert "calibration: 40 images of photos/calibration; proof: 40 of photos/comparison" in output
    assert "ok   labels   agrees on " in output
    assert {"tiny-int8.onnx", "tiny-int8.tflite"} < {path.name for path in tmp_path.iterdir()}
    assert not list(tmp_path.glob("*.rejected"))
    contract, _ = container.read("tiny-int8.tflite")
    assert contract.labels == imagenet.labels()
    assert (contract.input.fit, contract.input.filter) == ("stretch", "bilinear")
    assert contract.training["weights"].startswith("tiny.npz, SHA-256 ")
    assert contract.parity["reference_accuracy"] is None
    assert {each["accuracy"] for each in contract.parity["results"]} == {None}
    assert contract.parity["fingerprint"] != contract.calibration["fingerprint"]
    assert edgecnn(["classify", str(photos / "00.png"), "--model", "tiny-int8.tflite", "--top", "3", "--json"]) == 0
    predictions = json.loads(capfd.readouterr().out)["predictions"]
    assert [each["label"] for each in predictions] == [imagenet.labels()[each["index"]] for each in predictions]
    assert len(predictions) == 3


def test_answers_that_do_not_vary_prove_nothing(
    tiny: Path, photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with np.load(tiny) as file:
        arrays = dict(file)
    arrays["predictions/bias"][291] = 1e6
    np.savez("lion.npz", **arrays)
    assert edgecnn(["export", "tiny", "--calibration", str(photos), "--weights", "lion.npz"]) == 1
    assert "error: the Keras model answers 'lion' to 100% of photos/comparison" in capfd.readouterr().err
    assert not list(tmp_path.glob("tiny-*"))


def test_labelled_photographs_tell_its_accuracy(
    tiny: Path, photos: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EDGECNN_DATA", str(tmp_path / "data"))
    names = ("lion", "tiger_cat", "unicorn")
    for number, path in enumerate(sorted(photos.iterdir())):
        place = tmp_path / "labelled" / names[number % 2]
        place.mkdir(parents=True, exist_ok=True)
        path.rename(place / path.name)
    words = ["export", "tiny", "--weights", str(tiny), "--data", "labelled", "--int8"]
    assert edgecnn(words) == 1
    said = capfd.readouterr()
    assert "calibration: 56 images of labelled/calibration; proof: 12 of labelled/test" in said.out
    assert "error: the Keras model gets only 0.0% of labelled/test right" in said.err
    (tmp_path / "labelled" / "lion").rename(tmp_path / "labelled" / "unicorn")
    assert edgecnn(words) == 1
    assert "error: the model does not know the class unicorn of labelled" in capfd.readouterr().err


def test_wrong_usage(tiny: Path, photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def error(*words: str) -> tuple[int, str]:
        status = edgecnn(["export", *words])
        return status, capfd.readouterr().err

    assert error("tiny", "--weights", str(tiny)) == (
        2,
        "error: tiny is compared on pictures of your own: name labelled ones with --data, or a folder of others with "
        "--calibration\n",
    )
    calibration = ["--calibration", str(photos)]
    assert error("lenet5") == (
        2,
        "error: there are no ImageNet weights for lenet5; name the folder of its run, for instance runs/lenet5, "
        "or its .keras file\n",
    )
    status, message = error("tiny", "--weights", "nowhere.npz", *calibration)
    assert (status, message) == (
        1,
        "error: the file of weights nowhere.npz cannot be read (No such file or directory)\n",
    )
    status, message = error("runs/mine", "--weights", str(tiny))
    assert (status, "--weights goes with the name of a network" in message) == (2, True)
    with np.load(tiny) as file:
        np.savez("notop.npz", **{key: file[key] for key in file.files if key.startswith("conv")})
    status, message = error("tiny", "--weights", "notop.npz", *calibration)
    assert (status, "notop.npz has no weights of predictions for 1000 classes" in message) == (1, True)
    assert not list(tmp_path.glob("tiny-*"))


def lesson_and_graph(keras: Any, height: int, tmp_path: Path, theirs: Any, ours: Any) -> float:
    """Largest difference of probabilities, the lesson's way and in the graph, on one picture of the input's size.

    The picture is resized before: the lesson's filter is not ours, and is not what is compared here.
    """
    rng = np.random.default_rng(0)
    path = tmp_path / "picture.png"
    coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
    coarse.resize((height, height), Image.Resampling.BICUBIC).save(path)
    loaded = keras.utils.img_to_array(keras.utils.load_img(path, target_size=(height, height)))
    expected = theirs(keras.applications.vgg16.preprocess_input(loaded[None].copy()))
    given = pixels(path, imagenet.input_spec(height, height))
    assert (given == loaded).all()
    return float(np.abs(np.asarray(ours(given[None])) - np.asarray(expected)).max())


def test_the_graph_preprocesses_as_the_lesson_does(keras: Any, tmp_path: Path) -> None:
    """VGG16's convolutions on a small input, and a classifier whose answers are not all alike."""
    keras.utils.set_random_seed(0)
    theirs = keras.applications.VGG16(weights=None, include_top=False, pooling="avg", input_shape=(32, 32, 3))
    inputs = keras.Input((32, 32, 3))
    ours = keras.applications.VGG16(
        weights=None, include_top=False, pooling="avg", input_tensor=preprocessing.caffe(inputs)
    )
    ours.set_weights(theirs.get_weights())
    rng = np.random.default_rng(0)
    head = keras.layers.Dense(10, activation="softmax", kernel_initializer=keras.initializers.Constant(0))
    probabilities = head(theirs.output)
    head.kernel.assign(rng.normal(size=(512, 10)) * 0.5)
    theirs, ours = keras.Model(theirs.input, probabilities), keras.Model(inputs, head(ours.output))
    assert lesson_and_graph(keras, 32, tmp_path, theirs, ours) <= 1e-5


@pytest.mark.full
def test_vgg16_preprocesses_as_the_lesson_does(keras: Any, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    network = zoo.find("vgg16")
    theirs, ours = keras.applications.VGG16(weights=None), network.build(1000)
    for layer in theirs.layers:
        if layer.weights:
            ours.get_layer(layer.name).set_weights(
                [20 * each if layer.name == "predictions" else each for each in layer.get_weights()]
            )
            layer.set_weights(ours.get_layer(layer.name).get_weights())
    assert lesson_and_graph(keras, 224, tmp_path, theirs, ours) <= 1e-5
