"""The lesson's networks, layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.zoo.layer_table import layer_table

Table = list[tuple[str, tuple[int, ...], int]]

TABLES: dict[str, Table] = {
    "baseline": [
        ("InputLayer", (32, 32, 3), 0),
        ("Rescaling", (32, 32, 3), 0),
        ("Conv2D", (30, 30, 10), 280),
        ("MaxPooling2D", (15, 15, 10), 0),
        ("Flatten", (2250,), 0),
        ("Dense", (100,), 225_100),
        ("Dense", (10,), 1_010),
    ],
    "deeper": [
        ("InputLayer", (32, 32, 3), 0),
        ("Rescaling", (32, 32, 3), 0),
        ("Conv2D", (30, 30, 8), 224),
        ("MaxPooling2D", (15, 15, 8), 0),
        ("Conv2D", (13, 13, 512), 37_376),
        ("MaxPooling2D", (6, 6, 512), 0),
        ("Conv2D", (4, 4, 256), 1_179_904),
        ("Flatten", (4096,), 0),
        ("Dense", (100,), 409_700),
        ("Dense", (10,), 1_010),
    ],
    "lenet5": [
        ("InputLayer", (32, 32, 3), 0),
        ("Rescaling", (32, 32, 3), 0),
        ("RGBToGrayscale", (32, 32, 1), 0),
        ("Conv2D", (28, 28, 6), 156),
        ("BatchNormalization", (28, 28, 6), 24),
        ("AveragePooling2D", (14, 14, 6), 0),
        ("Conv2D", (10, 10, 16), 2_416),
        ("AveragePooling2D", (5, 5, 16), 0),
        ("Conv2D", (1, 1, 120), 48_120),
        ("Flatten", (120,), 0),
        ("Dense", (84,), 10_164),
        ("Dropout", (84,), 0),
        ("Dense", (10,), 850),
    ],
}


@pytest.fixture(params=TABLES)
def model(request: pytest.FixtureRequest, keras: Any) -> Any:
    return zoo.find(request.param).build(10)


def test_layers(model: Any) -> None:
    table = [(layer.type, layer.output_shape, layer.parameters) for layer in layer_table(model)]
    assert table == TABLES[model.name]


def test_the_first_layer_scales_pixels_to_one(model: Any) -> None:
    pixels = np.arange(256, dtype=np.float32).repeat(12).reshape(1, 32, 32, 3)
    np.testing.assert_allclose(np.asarray(model.layers[1](pixels)), pixels / 255, atol=1e-7)


def test_lenet5_squashes_with_tanh_and_drops_a_fifth(keras: Any) -> None:
    model = zoo.find("lenet5").build(10)
    for name in ("conv_1", "conv_2", "conv_3", "dense"):
        assert model.get_layer(name).activation is keras.activations.tanh
    assert model.get_layer("dropout").rate == 0.2


def test_lenet5_sees_grey(keras: Any) -> None:
    model = zoo.find("lenet5").build(10)
    grey = keras.Model(model.input, model.get_layer("conv_1").input)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    expected = pixels @ (0.2989, 0.587, 0.114) / 255  # luma of ITU-R BT.601
    np.testing.assert_allclose(np.asarray(grey(pixels))[..., 0], expected, atol=1e-6)
