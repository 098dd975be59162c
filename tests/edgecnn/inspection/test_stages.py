"""Which layers are shown, and what comes out of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.data import samples
from edgecnn.inspection import layers
from edgecnn_runtime.errors import UsageError

PICTURE = samples.test().images[7]


@pytest.mark.usefixtures("keras")
@pytest.mark.parametrize(
    ("name", "first", "last", "count", "seen"),
    [
        ("baseline", "conv", "pool", 2, "conv"),
        ("deeper", "conv_1", "conv_3", 5, "conv_3"),
        ("lenet5", "conv_1", "pool_2", 4, "conv_2"),  # the maps of conv_3 are one pixel
        ("resnet8", "conv", "stage_3_shortcut", 9, "stage_3_relu"),
        ("vgg16", "block1_conv1", "block5_pool", 18, "block5_conv3"),
        ("resnet50", "conv1_conv", "conv5_block3_3_conv", 54, "conv5_block3_out"),
        ("mobilenet_v3_small", "conv", "conv_1", 34, "activation_17"),
    ],
)
def test_stages_of_networks(name: str, first: str, last: str, count: int, seen: str) -> None:
    model = zoo.find(name).outline(10)
    names = [layer.name for layer in layers.stages(model)]
    assert (names[0], names[-1], len(names)) == (first, last, count)
    found = layers.last_with_maps(model)
    if name.startswith("mobilenet"):  # Keras numbers its activations on and on
        assert type(found).__name__ in ("Activation", "ReLU")
        assert found.output.shape[1:] == (7, 7, 576)
    else:
        assert found.name == seen


def test_a_layer_by_its_name(resnet8: Any) -> None:
    assert layers.find(resnet8, "stage_2_add").name == "stage_2_add"
    with pytest.raises(UsageError, match="no layer called 'stage_2_con'; there are, for instance, stage_2_conv_"):
        layers.find(resnet8, "stage_2_con")
    with pytest.raises(UsageError, match="no layer called 'xyz'; there are, for instance, conv, stage_1_conv_1"):
        layers.find(resnet8, "xyz")
    for name in ("probabilities", "pool"):
        with pytest.raises(UsageError, match=f"{name} of resnet8 has no feature maps"):
            layers.find(resnet8, name)


def test_a_model_without_convolutions(keras: Any) -> None:
    pixels = keras.Input((4, 4, 3), name="pixels")
    pooled = keras.layers.MaxPooling2D(2)(pixels)
    model = keras.Model(pixels, keras.layers.Dense(2)(keras.layers.Flatten()(pooled)), name="dense")
    for look in (layers.stages, layers.last_with_maps, layers.with_filters):
        with pytest.raises(UsageError, match="dense has no convolution"):
            look(model)


def test_activations_are_what_the_layers_compute(keras: Any, resnet8: Any) -> None:
    normalise, conv = resnet8.get_layer("normalise"), resnet8.get_layer("conv")
    kernel, bias = conv.get_weights()
    scaled = np.pad(PICTURE / 127.5 - 1, ((1, 1), (1, 1), (0, 0)))
    expected = np.zeros((32, 32, 16))
    for row, column in np.ndindex(3, 3):
        expected += scaled[row : row + 32, column : column + 32] @ kernel[row, column]
    first, last = layers.activations(resnet8, [conv, resnet8.get_layer("stage_3_relu")], PICTURE)
    np.testing.assert_allclose(first, expected + bias, atol=1e-4)
    assert layers.activations(resnet8, [normalise], PICTURE)[0].shape == (32, 32, 3)
    dense = resnet8.get_layer("probabilities")
    scores = keras.ops.softmax(last.mean((0, 1)) @ dense.get_weights()[0] + dense.get_weights()[1])
    np.testing.assert_allclose(scores, resnet8(layers.as_batch(PICTURE), training=False)[0], atol=1e-5)


def test_the_strongest_channels() -> None:
    maps = np.zeros((2, 2, 5), np.float32)
    maps[0, 0] = [1, 5, 0, -9, 2]
    assert layers.strongest(maps, 3) == [1, 3, 4]
    assert layers.strongest(maps, 9) == [0, 1, 2, 3, 4]
