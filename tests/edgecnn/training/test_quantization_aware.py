"""Folding, rounding, and a network that learns to bear it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.cli.main import run as edgecnn
from edgecnn.data import samples
from edgecnn.training.recipe import QAT, planned
from edgecnn.training.train import train
from edgecnn.zoo.network import Network
from edgecnn.zoo.seeded import seeded
from edgecnn_export.dataset import Dataset
from edgecnn_export.reference import predict
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Folders, InParts

MODELS = Path(__file__).parents[3] / "models"


@pytest.mark.parametrize(("name", "gone", "kept"), [("resnet8", 7, 0), ("resnet20", 19, 0), ("lenet5", 0, 1)])
def test_folding_changes_no_answer(keras: Any, name: str, gone: int, kept: int) -> None:
    from edgecnn.training.folding import folded

    images = samples.test().images[:40]
    model = seeded(zoo.NETWORKS[name], 10, images)

    def norms(each: Any) -> int:
        return sum(isinstance(layer, keras.layers.BatchNormalization) for layer in each.layers)

    plain = folded(model)
    assert (norms(model), norms(plain)) == (gone + kept, kept)
    np.testing.assert_allclose(predict(plain, images), predict(model, images), atol=2e-5)


def _separate(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = layers.Rescaling(1 / 255)(pixels)
    for number, kind in enumerate((layers.Conv2D(6, 3, strides=2), layers.DepthwiseConv2D(3, depth_multiplier=2))):
        x = kind(x)
        x = layers.ReLU(6.0, name=f"relu_{number}")(layers.BatchNormalization()(x))
    return layers.Dense(classes, activation="softmax")(layers.GlobalAveragePooling2D()(x))


SEPARATE = Network("separate", _separate, 32, 32, classes=10, parameters=508, multiply_adds=1, source="none")


def test_depthwise_convolutions_fold_and_round_too(keras: Any) -> None:
    from edgecnn.training.folding import folded
    from edgecnn.training.quantization_aware import aware, copy_weights

    images = samples.test().images[:40]
    model = seeded(SEPARATE, 10, images)
    plain = folded(model)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in plain.layers)
    np.testing.assert_allclose(predict(plain, images), predict(model, images), atol=2e-5)
    rounding = aware(model)
    rounding(images.astype(np.float32), training=True)
    assert 0 < np.abs(predict(rounding, images) - predict(model, images)).mean() < 0.02
    (depthwise,) = (layer for layer in rounding.layers if isinstance(layer, keras.layers.DepthwiseConv2D))
    exact, rounded = np.asarray(depthwise.trainable_variables[0]), np.asarray(depthwise.kernel)
    steps = rounded / (np.abs(exact).max((0, 1)) / 127)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    copy_weights(rounding, plain)
    np.testing.assert_allclose(predict(plain, images), predict(model, images), atol=2e-5)


def test_a_kernel_that_is_not_rounded_is_refused(keras: Any) -> None:
    from edgecnn.training.quantization_aware import aware

    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.SeparableConv2D(4, 3, name="both")(pixels))
    with pytest.raises(UsageError, match=r"^--qat rounds convolutions, .*, and no SeparableConv2D, which both is"):
        aware(model)


def test_a_kernel_is_rounded_a_channel_and_learns(keras: Any) -> None:
    import tensorflow as tf

    from edgecnn.training.rounding_layers import ROUNDING

    layer = ROUNDING[keras.layers.Conv2D](4, 3)
    layer.build((None, 8, 8, 3))
    exact = np.random.default_rng(0).normal(size=(3, 3, 3, 4)).astype(np.float32) * [1, 10, 0.1, 0]
    layer.set_weights([exact, np.zeros(4), np.zeros(()), np.zeros(())])
    rounded = np.asarray(layer.kernel)
    step = np.abs(exact).max((0, 1, 2)) / 127
    assert (np.abs(rounded - exact) <= step / 2 + 1e-6).all()
    steps = rounded[..., :3] / step[:3]
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer.kernel * 3.0)
    np.testing.assert_allclose(tape.gradient(loss, layer.trainable_variables[0]), np.full(exact.shape, 3.0))


def test_values_are_rounded_over_the_range_that_was_seen(keras: Any) -> None:
    from edgecnn.training.rounding_layers import ROUNDING

    layer = ROUNDING[keras.layers.ReLU]()
    values = np.linspace(-5, 10, 301, dtype=np.float32)[None]
    layer(values, training=True)
    given = np.asarray(layer(values))
    step = 10 / 255
    np.testing.assert_allclose(given, np.round(np.maximum(values, 0) / step) * step, atol=1e-5)
    assert len(np.unique(given)) <= 256
    assert np.asarray(layer(2 * values)).max() == pytest.approx(10, abs=1e-5)
    assert [float(each) for each in (layer.low, layer.high)] == [0, 10]


def test_what_converters_fuse_is_rounded_once(keras: Any) -> None:
    from edgecnn.training.quantization_aware import aware

    model = aware(seeded(zoo.NETWORKS["resnet8"], 10, samples.test().images[:20]))
    rounding = {layer.name for layer in model.layers if getattr(layer, "rounds_output", False)}
    assert {"conv_relu", "stage_1_conv_2", "stage_2_shortcut", "stage_3_relu", "pool"} <= rounding
    assert rounding.isdisjoint({"conv", "stage_1_conv_1", "stage_1_add", "normalise", "probabilities_activation"})


def test_an_activation_that_is_not_fused_is_a_step_of_its_own(keras: Any) -> None:
    from edgecnn.training.quantization_aware import aware

    model = aware(seeded(zoo.NETWORKS["lenet5"], 10, samples.test().images[:20]))
    rounding = {layer.name for layer in model.layers if getattr(layer, "rounds_output", False)}
    assert {"conv_1", "conv_1_activation", "pool_1", "dense", "dense_activation", "probabilities"} <= rounding
    assert "probabilities_activation" not in rounding
    assert model.output_names == ["probabilities_activation"]
    assert {model.get_layer(name).activation for name in ("conv_1", "probabilities")} == {keras.activations.linear}


def test_it_rounds_as_the_file_will(keras: Any, tmp_path: Path) -> None:
    """``baseline`` with a kernel that 8 bits hold badly: the model that rounds loses what the file loses."""
    from edgecnn.training.quantization_aware import aware
    from edgecnn_export import keras_file, tflite
    from edgecnn_export.scoring import score
    from edgecnn_runtime import container
    from edgecnn_runtime.contract import Contract

    model, about = keras_file.load(MODELS / "baseline.keras")
    kernel, bias = model.get_layer("dense").get_weights()
    kernel[0, 0] = 40.0  # one weight, of a pixel that is rarely lit: the step of all others is now 0.3
    kernel[1, 0] = -40.0
    model.get_layer("dense").set_weights([kernel, bias])
    test, calibration = samples.test(), samples.calibration().images
    path = tmp_path / "x.tflite"
    rounding = aware(model)
    for start in range(0, 500, 50):
        rounding(calibration[start : start + 50].astype(np.float32), training=True)
    contract = Contract("baseline", "tflite", "int8", about.labels, about.input)
    path.write_bytes(container.embed(tflite.convert(model, "int8", calibration), contract))
    exported = score(path, test.images, "litert").probabilities
    float_scores, aware_scores = predict(model, test.images), predict(rounding, test.images)
    assert np.abs(aware_scores - exported).mean() < 0.2 * np.abs(float_scores - exported).mean()


def _small(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = layers.Rescaling(1 / 255)(pixels)
    x = layers.Conv2D(8, 3, strides=4, use_bias=False, name="conv")(x)
    x = layers.ReLU()(layers.BatchNormalization(name="norm")(x))
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation="softmax", name="probabilities")(x)


SMALL = Network("small", _small, 32, 32, classes=10, parameters=338, multiply_adds=13_904, source="none")


def test_what_comes_out_is_a_float_model(keras: Any, small: Dataset, folder: Folders) -> None:
    recipe = replace(QAT, epochs=3, batch_size=50, learning_rate=1e-2)
    trained = train(SMALL, recipe, small, small, folder("a"))
    assert [type(layer).__module__.split(".")[0] for layer in trained.model.layers] == ["keras"] * 6
    assert trained.model.get_layer("conv").use_bias
    losses = [row["loss"] for row in trained.history]
    assert losses[-1] < losses[0]
    again = train(SMALL, recipe, small, small, folder("b"))
    for one, other in zip(trained.model.get_weights(), again.model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_it_can_be_interrupted(keras: Any, small: Dataset, folder: Folders, in_parts: InParts) -> None:
    recipe = replace(QAT, epochs=2, batch_size=50, learning_rate=1e-2)
    whole = train(SMALL, recipe, small, None, folder("whole"))
    resumed = in_parts(SMALL, recipe, small, {(0, 10): (1, 0)})
    for weight, expected in zip(resumed.model.get_weights(), whole.model.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_it_needs_a_trained_network(capfd: pytest.CaptureFixture[str]) -> None:
    assert edgecnn(["train", "resnet8", "--qat"]) == 2
    assert "name it with --weights" in capfd.readouterr().err
    with pytest.raises(UsageError, match="leave out the freezing"):
        planned(None, "residual", False, {"quantized": True, "pretrained": True, "frozen_epochs": 2})
    assert planned(None, "residual", False, {"quantized": True, "pretrained": True}) == QAT
