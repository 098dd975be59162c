"""Networks of all endings and beginnings, brought to pixels in and probabilities out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.importing import pixel_scale, standard_form
from edgecnn.importing.beginning import scales_pixels as beginning_of
from edgecnn.importing.flat_graph import FlatGraph
from edgecnn.importing.standard_form import Theirs
from edgecnn_export.reference import predict
from edgecnn_runtime.errors import ExportError, UsageError

SIDE = 8
NOISE = np.random.default_rng(3).integers(0, 256, (5, SIDE, SIDE, 3), np.uint8)


def network(keras: Any, *ending: Any, shape: tuple[int | None, ...] = (SIDE, SIDE, 3), beginning: Any = ()) -> Any:
    layers = keras.layers
    flat = [layers.Reshape((SIDE, SIDE, 1))] if len(shape) == 2 else []
    model = keras.Sequential(
        [keras.Input(shape), *beginning, *flat, layers.Conv2D(4, 3), layers.GlobalAveragePooling2D(), *ending]
    )
    numbers = np.random.default_rng(4)
    for weight in model.trainable_weights:
        weight.assign(numbers.normal(size=weight.shape))
    return model


def imported(theirs: Theirs, word: str = "0..1", bgr: bool = False) -> Any:
    return standard_form.standard(theirs, pixel_scale.find(word, theirs.channels, bgr), "theirs")


def test_a_sigmoid_that_is_no_layer(keras: Any) -> None:
    pixels = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.Dense(1)(keras.layers.GlobalAveragePooling2D()(pixels))
    model = keras.Model(pixels, keras.ops.sigmoid(x))
    theirs = standard_form.find(model, None)
    assert theirs.ending == "sigmoid"
    np.testing.assert_allclose(predict(imported(theirs), NOISE)[:, 1:], model(NOISE / np.float32(255)), atol=1e-5)


def softmax(logits: Any) -> Any:
    powers = np.exp(logits)
    return powers / powers.sum(-1, keepdims=True)


def test_endings(keras: Any) -> None:
    layers, given = keras.layers, NOISE / np.float32(255)
    for ending, last in [
        ("probabilities", [layers.Dense(3, activation="softmax")]),
        ("probabilities", [layers.Dense(3), layers.Softmax(), layers.Reshape((3,))]),
        ("logits", [layers.Dense(3)]),
        ("logits", [layers.Dense(3), layers.Activation("log_softmax")]),
        ("logit", [layers.Dense(1)]),
        ("sigmoid", [layers.Dense(1, activation="sigmoid")]),
        ("sigmoid", [layers.Dense(1), layers.Activation("sigmoid")]),
        ("sigmoid", [layers.Dense(1, activation="sigmoid"), layers.Activation("linear"), layers.Flatten()]),
        ("sigmoid", [keras.Sequential([layers.Dense(1, activation="sigmoid")]), layers.Dropout(0.5)]),
    ]:
        model = network(keras, *last)
        theirs = standard_form.find(model, None)
        assert theirs.ending == ending
        own = np.asarray(model(given))
        expected = {
            "probabilities": own,
            "logits": softmax(own),
            "logit": softmax(np.concatenate([0 * own, own], -1)),
            "sigmoid": np.concatenate([1 - own, own], -1),
        }[ending]
        made = imported(theirs)
        answers = predict(made, NOISE)
        np.testing.assert_allclose(answers, expected, atol=1e-5)
        np.testing.assert_allclose(theirs.probabilities(NOISE, pixel_scale.find("0..1", 3, False)), expected, atol=1e-5)
        assert theirs.classes == made.output_shape[-1] == expected.shape[-1]
        assert np.ptp(answers, axis=0).min() > 1e-5


@pytest.mark.parametrize(
    ("word", "scaled"),
    [
        ("0..255", lambda x: x),
        ("0..1", lambda x: x / 255),
        ("-1..1", lambda x: x / 127.5 - 1),
        ("torch", lambda x: (x / 255 - (0.485, 0.456, 0.406)) / (0.229, 0.224, 0.225)),
        ("caffe", lambda x: (x - (123.68, 116.779, 103.939))[..., ::-1]),
        ("100/50", lambda x: (x - 100) / 50),
        ("1,2,3/4", lambda x: (x - (1, 2, 3)) / 4),
        ("5/1,2,4", lambda x: (x - 5) / (1, 2, 4)),
    ],
)
@pytest.mark.parametrize("bgr", [False, True])
def test_scales(keras: Any, word: str, scaled: Any, bgr: bool) -> None:
    model = network(keras, keras.layers.Dense(3, activation="softmax"))
    made = imported(standard_form.find(model, None), word, bgr)
    pixels = NOISE[..., ::-1] if bgr else NOISE
    expected = model(scaled(pixels.astype(np.float64)).astype(np.float32))
    np.testing.assert_allclose(predict(made, NOISE), expected, atol=1e-4)


def test_scales_of_opencv_and_of_grey(keras: Any) -> None:
    assert [str(each) for each in pixel_scale.usual(1)] == ["0..255", "0..1", "-1..1"]
    named = [str(each) for each in pixel_scale.usual(3)]
    assert named[:5] == ["0..255", "0..1", "-1..1", "torch", "caffe"]
    assert named[5:] == ["0..255, BGR", "0..1, BGR", "-1..1, BGR", "torch, BGR"]  # caffe is BGR as it is
    for word, channels, bgr, message in [
        ("1..2", 3, False, "--pixels 1..2 is not known; there are 0..255, 0..1, -1..1, torch, caffe, or MEAN/DEV"),
        ("1/2/3", 3, False, "is not known"),
        ("1,2/3", 3, False, "needs one number a side, or one for each channel"),
        ("1/0", 3, False, "divides by nearly nothing; deviations are those"),
        ("1/nan", 3, False, "needs one number a side"),
        ("1,2,3/inf", 3, False, "needs one number a side"),
        ("0/1e-320", 3, False, "divides by nearly nothing"),
        ("1,2,3/4", 1, False, "needs one number a side"),
        ("torch", 1, False, "is about colours, and the network sees grey"),
        ("0..1", 1, True, "--bgr is about colours, and the network sees grey"),
    ]:
        with pytest.raises(UsageError, match=message):
            pixel_scale.find(word, channels, bgr)
    del keras


@pytest.mark.parametrize("shape", [(SIDE, SIDE, 1), (SIDE, SIDE)])
def test_a_network_of_grey_pictures(keras: Any, shape: tuple[int, ...]) -> None:
    model = network(keras, keras.layers.Dense(3, activation="softmax"), shape=shape)
    theirs = standard_form.find(model, None)
    assert (theirs.channels, theirs.shape) == (1, shape)
    grey = np.stack([np.asarray(Image.fromarray(each).convert("L")) for each in NOISE])
    expected = model(grey.reshape(5, *shape) / np.float32(255))
    made = imported(theirs)
    assert made.input_shape == (None, SIDE, SIDE, 3)
    np.testing.assert_allclose(predict(made, NOISE), expected, atol=0.02)  # Pillow's grey is in whole numbers
    same = np.repeat(grey[..., None], 3, -1)  # a picture that is grey already is seen as it is
    np.testing.assert_allclose(predict(made, same), expected, atol=1e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_of_numbers_in_a_row(keras: Any, channels: int) -> None:
    model = keras.Sequential([keras.Input((SIDE * SIDE * channels,)), keras.layers.Dense(3, activation="softmax")])
    theirs = standard_form.find(model, None)
    assert (theirs.height, theirs.width, theirs.channels) == (SIDE, SIDE, channels)
    same = np.repeat(NOISE[..., :1], 3, -1) if channels == 1 else NOISE
    expected = model(same[..., :channels].reshape(5, -1) / np.float32(255))
    np.testing.assert_allclose(predict(imported(theirs), same), expected, atol=1e-5)


def test_a_network_of_any_size(keras: Any) -> None:
    model = network(keras, keras.layers.Dense(3, activation="softmax"), shape=(None, None, 3))
    with pytest.raises(ExportError, match="takes pictures of any size; name the one to use with --size"):
        standard_form.find(model, None)
    with pytest.raises(ExportError, match=r"the model does not run on pictures of 2x2x3 \(.+\)"):
        standard_form.find(model, (2, 2))
    made = imported(standard_form.find(model, (SIDE, SIDE + 4)))
    assert made.input_shape == (None, SIDE, SIDE + 4, 3)
    fixed = network(keras, keras.layers.Dense(3, activation="softmax"))
    assert standard_form.find(fixed, (SIDE, SIDE)).height == SIDE
    with pytest.raises(ExportError, match="takes pictures of 8 x 8 pixels and no others; leave out --size"):
        standard_form.find(fixed, (SIDE, SIDE + 1))


def test_models_within_models_become_one_graph_with_a_name_for_each_layer(keras: Any) -> None:
    layers = keras.layers
    pixels = keras.Input((SIDE, SIDE, 3))
    shared = layers.Conv2D(3, 3, padding="same", name="same")
    base = keras.Sequential([shared, layers.BatchNormalization(name="norm")], name="base")
    other = keras.Sequential([layers.Conv2D(3, 3, padding="same", name="same")], name="other")
    x = layers.RandomFlip("horizontal")(pixels)
    x = base(shared(x)) + other(x, training=False)  # one layer called twice, and two of one name
    model = keras.Model(pixels, layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling2D()(x)))
    for weight in model.weights:
        weight.assign(np.random.default_rng(6).uniform(0.01, 0.3, size=weight.shape))
    made = imported(standard_form.find(model, None))
    assert not any(isinstance(each, keras.Model) for each in made.layers)
    assert [each.name for each in made.layers if each.weights][:3] == ["same", "norm", "same_2"]
    np.testing.assert_allclose(predict(made, NOISE), model(NOISE / np.float32(255), training=False), atol=1e-5)


def test_names_that_are_ours_or_no_scope(keras: Any) -> None:
    layers = keras.layers
    names = ("pixels", "grey", "normalise", "flat", "both_ways", "probabilities", "my conv", "_own")
    pixels = x = keras.Input((SIDE, SIDE, 1), name="normalise_2")
    for name in names:
        x = layers.Conv2D(2, 1, name=name)(x)
    model = keras.Model(pixels, layers.Dense(1)(layers.GlobalAveragePooling2D()(x)))
    theirs = standard_form.find(model, None)
    made = standard_form.standard(theirs, pixel_scale.find("0..1", 1, False), "_theirs")
    assert predict(made, NOISE).shape == (5, 2)
    assert "my_conv" in [each.name for each in made.layers]


def test_a_normalisation_that_was_adapted(keras: Any) -> None:
    adapted = keras.layers.Normalization()
    adapted.adapt(NOISE.astype(np.float32))
    model = network(keras, keras.layers.Dense(3, activation="softmax"), beginning=(adapted,))
    made = imported(standard_form.find(model, None), "0..255")
    np.testing.assert_allclose(predict(made, NOISE), model(NOISE.astype(np.float32)), atol=1e-5)


@pytest.mark.parametrize("last", ["float32", "bfloat16"])
def test_numbers_of_fewer_bits(keras: Any, last: str) -> None:
    before = keras.config.dtype_policy()
    try:
        keras.config.set_dtype_policy("mixed_bfloat16")
        model = network(keras, keras.layers.Dense(3, activation="softmax", dtype=last))
    finally:
        keras.config.set_dtype_policy(before)
    made = imported(standard_form.find(model, None))
    assert {each.compute_dtype for each in made.layers} == {"float32"}
    np.testing.assert_allclose(
        predict(made, NOISE), np.asarray(model(NOISE / np.float32(255))).astype(np.float32), atol=0.05
    )


def test_weights_that_were_quantized_already(keras: Any) -> None:
    model = network(keras, keras.layers.Dense(3, activation="softmax"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what has no weights
        model.quantize("int8")
    with pytest.raises(ExportError, match=r"the layer dense\w* has weights in int8\w*; give the model that was quant"):
        imported(standard_form.find(model, None))


def test_whether_the_network_scales_pixels_itself(keras: Any) -> None:
    layers, ops = keras.layers, keras.ops
    adapted, of_one = layers.Normalization(), layers.Normalization()
    adapted.adapt(NOISE.astype(np.float32))
    of_one.adapt(NOISE / np.float32(255))
    for beginning, expected in [
        ((), False),
        ((layers.Rescaling(1 / 255),), True),
        ((layers.RandomFlip(), layers.CenterCrop(SIDE, SIDE), layers.Rescaling(1 / 255)), True),
        ((keras.Sequential([layers.RandomZoom(0.1)]), layers.Normalization(mean=1.0, variance=2.0)), True),
        ((layers.Rescaling(1.0), layers.Rescaling(1 / 127.5, offset=-1)), True),
        ((layers.Conv2D(3, 1), layers.Rescaling(1 / 255)), False),
        ((adapted,), True),
        ((of_one,), False),  # for pixels that were divided before
        ((layers.Rescaling(2.0, offset=-1),), False),
        ((layers.Rescaling(1.0),), False),
    ]:
        assert beginning_of(network(keras, layers.Dense(3), beginning=beginning)) is expected
    pixels = keras.Input((SIDE, SIDE, 3))
    for scaled, expected in [
        ((pixels - 127.5) / 127.5, True),
        (ops.cast(pixels, "float32") / 255, True),
        (pixels * (1 / 255), True),
        (pixels * 2 - 1, False),
        (pixels - 0.5, False),
        (layers.Add()([pixels, pixels]), False),
        (keras.applications.vgg16.preprocess_input(pixels), True),
        (keras.applications.densenet.preprocess_input(pixels), True),
    ]:
        model = keras.Model(pixels, layers.Dense(2)(layers.GlobalAveragePooling2D()(scaled)))
        assert beginning_of(model) is expected


def test_what_is_no_classifier_of_pictures(keras: Any) -> None:
    layers = keras.layers
    pixels = keras.Input((SIDE, SIDE, 3))
    mean = layers.GlobalAveragePooling2D()(pixels)
    for model, message in [
        (keras.Model(pixels, [layers.Dense(2)(mean), layers.Dense(3)(mean)]), "has 1 input and 2 outputs"),
        (keras.Model(pixels, {"a": layers.Dense(2)(mean)}), "expected a picture in and an answer for each label"),
        (keras.Sequential([layers.Dense(2)]), "has 0 inputs and 0 outputs"),
        (keras.Model(pixels, layers.Conv2D(2, 3)(pixels)), r"the model gives \(6, 6, 2\)"),
        (keras.Sequential([keras.Input((5,)), layers.Dense(2)]), r"the model takes \(5,\); expected height, width"),
        (keras.Sequential([keras.Input((3, 8, 8)), layers.Flatten(), layers.Dense(2)]), "1 or 3 channels"),
        (keras.Sequential([layers.Dense(2)]), r"give it an input \(keras.Input\) before it is saved"),
        (
            keras.Model(pixels, layers.GlobalAveragePooling2D()(layers.Conv2D(1, 1, activation="sigmoid")(pixels))),
            "several",
        ),
        (network(keras, layers.Dense(3, activation="sigmoid")), "answers 3 labels each by itself"),
        (network(keras, layers.Dense(3, activation="tanh")), "ends in tanh, which gives no probabilities"),
        (network(keras, layers.Dense(3), layers.Rescaling(float("nan"))), r"gives no numbers \(NaN\)"),
    ]:
        with pytest.raises(ExportError, match=message):
            standard_form.find(model, None)


def test_a_layer_that_acts_otherwise_is_found(keras: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(keras, keras.layers.Dense(3, activation="softmax"))
    theirs = standard_form.find(model, None)
    monkeypatch.setattr(FlatGraph, "take_weights", lambda _: None)
    with pytest.raises(ExportError, match=r"gives other answers than the file \(largest difference"):
        imported(theirs)
