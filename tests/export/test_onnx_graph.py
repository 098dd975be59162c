"""The float ONNX graph: the same answers, in the standard's operators, with normalisations folded away."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx as onnx_package
import pytest

from edgecnn.training import keras_backend
from edgecnn_export import onnx
from edgecnn_export.onnx_graph import _LARGE
from edgecnn_runtime.errors import ExportError


def normalised(kind: str) -> Any:
    """Convolutions with batch normalisation, and kernels on both sides of what counts as large."""
    keras_backend.choose_tensorflow("tests")
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    pixels = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(pixels)
    for filters in (8, 64, 64):
        if kind == "plain":
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        elif kind == "separable":
            x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False)(x)
        else:
            x = layers.Conv2D(filters, 1)(layers.DepthwiseConv2D(5, strides=2, padding="same")(x))
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
    x = layers.Dropout(0.5)(layers.Flatten()(x))
    x = layers.Dense(100, activation="relu")(x)
    model = keras.Model(pixels, layers.Dense(10, activation="softmax")(x))
    rng = np.random.default_rng(0)
    for variable in model.variables:
        if variable.name in ("gamma", "moving_variance"):
            variable.assign(rng.uniform(0.5, 2, variable.shape))
        elif variable.name in ("beta", "moving_mean", "bias"):
            variable.assign(rng.normal(0, 0.3, variable.shape))
    assert any(np.prod(each.shape) > _LARGE for each in model.variables)
    return model


@pytest.mark.parametrize("kind", ["plain", "separable", "depthwise"])
def test_the_same_answers_without_a_normalisation(kind: str) -> None:
    import onnxruntime

    model = normalised(kind)
    converted = onnx.convert(model, "fp32", None)
    images = np.random.default_rng(1).integers(0, 256, (8, 16, 16, 3), np.uint8)
    (scores,) = onnxruntime.InferenceSession(converted).run(None, {"pixels": images})
    expected = model.predict(images, verbose=0)
    assert np.ptp(expected) > 0.1
    assert np.abs(scores - expected).max() < 1e-5

    proto = onnx_package.load_from_string(converted)
    kinds = [node.op_type for node in proto.graph.node]
    # One Mul is the rescaling of pixels, and nothing is left of the normalisations but the bias of a convolution.
    assert kinds.count("Mul") <= 1
    assert not {"BatchNormalization", "Sub", "Div", "Sqrt"} & set(kinds)
    assert kinds.count("Conv") == (3 if kind == "plain" else 6)
    assert {node.domain for node in proto.graph.node} == {""}
    assert [each.domain for each in proto.opset_import] == [""]


@pytest.mark.parametrize(
    ("kind", "operator"),
    [
        ("gelu", "Erf"),
        ("groups", "Conv"),
        ("attention", "MatMul"),
        ("group normalisation", "Sqrt"),
        ("upwards", "ConvTranspose"),
    ],
)
def test_layers_of_newer_networks(kind: str, operator: str) -> None:
    import onnxruntime

    keras_backend.choose_tensorflow("tests")
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    pixels = keras.Input((12, 12, 3))
    x = layers.Conv2D(8, 3)(layers.Rescaling(1 / 32, offset=-4)(pixels))
    if kind == "gelu":
        x = layers.Activation("gelu")(x)
    elif kind == "groups":
        x = layers.Conv2D(16, 3, groups=4)(x)
    elif kind == "attention":
        x = layers.Reshape((100, 8))(x)
        x = layers.Reshape((10, 10, 8))(layers.MultiHeadAttention(2, 4)(x, x))
    elif kind == "group normalisation":
        x = layers.GroupNormalization(4)(x)
    else:
        x = layers.Conv2DTranspose(8, 3, strides=2, padding="same")(x)
    x = layers.Dense(4, activation="softmax")(layers.Flatten()(x))
    model = keras.Model(pixels, x, name="newer")
    images = np.random.default_rng(1).integers(0, 256, (20, 12, 12, 3), np.uint8)
    expected = model.predict(images, verbose=0)
    with onnx.opened(model, images) as network:
        for precision, difference in (("fp32", 1e-5), ("fp16", 0.02), ("int8", 0.1)):
            converted = network.convert(precision)
            (scores,) = onnxruntime.InferenceSession(converted).run(None, {"pixels": images})
            assert np.abs(scores - expected).max() < difference
            if precision == "fp32":
                assert operator in {node.op_type for node in onnx_package.load_from_string(converted).graph.node}
    assert np.ptp(expected, axis=0).min() > 0.1


def test_every_weight_is_in_the_file_once() -> None:
    model = normalised("plain")
    assert len(onnx.convert(model, "fp32", None)) == pytest.approx(4 * model.count_params(), rel=0.05)


def test_more_than_two_gigabytes_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = normalised("plain")
    monkeypatch.setattr(model, "count_params", lambda: 600_000_000)
    with pytest.raises(ExportError, match=r"its weights take 2\.4 GB, and an ONNX file holds at most 2 GB"):
        onnx.convert(model, "fp32", None)


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    onnx.convert(normalised("plain"), "dynamic", None)
    assert not list(tmp_path.iterdir())
