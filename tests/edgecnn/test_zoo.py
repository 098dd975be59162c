"""The networks: what they are made of, to the last parameter, and what they promise to everybody else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.errors import UsageError

Table = list[tuple[str, tuple[int, ...], int]]

PARAMETERS = {"baseline": 226_390, "deeper": 1_628_214}

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
}


@pytest.fixture(params=list(zoo.NETWORKS.values()), ids=lambda network: network.name)
def network(request: pytest.FixtureRequest) -> zoo.Network:
    found: zoo.Network = request.param
    return found


@pytest.fixture
def model(network: zoo.Network, keras: Any) -> Any:
    keras.utils.set_random_seed(0)
    return network.build(10)


def test_parameters(network: zoo.Network, model: Any) -> None:
    assert model.count_params() == network.parameters == PARAMETERS[network.name]


def test_layers(network: zoo.Network, model: Any) -> None:
    table = [(type(layer).__name__, tuple(layer.output.shape[1:]), layer.count_params()) for layer in model.layers]
    assert table == TABLES[network.name]


def test_every_layer_learns(model: Any) -> None:
    assert all(layer.trainable for layer in model.layers)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == model.count_params()


def test_pixels_in_probabilities_out(network: zoo.Network, model: Any, watched: Dataset) -> None:
    assert model.input_shape == (None, network.height, network.width, 3)
    scores = np.asarray(model(watched.images[:50].astype(np.float32)))
    assert scores.dtype == np.float32
    assert scores.shape == (50, 10)
    assert (scores >= 0).all()
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-6)


def test_the_first_layer_scales_pixels_to_one(model: Any) -> None:
    pixels = np.arange(256, dtype=np.float32).repeat(12).reshape(1, 32, 32, 3)
    np.testing.assert_allclose(np.asarray(model.layers[1](pixels)), pixels / 255, atol=1e-7)


def test_other_numbers_of_classes(network: zoo.Network, keras: Any) -> None:
    assert network.build(3).output_shape == (None, 3)


def test_pictures_of_another_size_are_resized_inside(network: zoo.Network, model: Any, watched: Dataset) -> None:
    larger = network.build(10, 64, 96)
    assert larger.input_shape == (None, 64, 96, 3)
    assert larger.count_params() == network.parameters
    larger.set_weights(model.get_weights())
    flat = np.full((1, 1, 1, 3), (10, 200, 90), np.float32)
    expected = np.asarray(model(flat.repeat(32, 1).repeat(32, 2)))
    np.testing.assert_allclose(np.asarray(larger(flat.repeat(64, 1).repeat(96, 2))), expected, atol=1e-5)


def test_names() -> None:
    assert list(zoo.NETWORKS) == ["baseline", "deeper"]
    for name in zoo.NETWORKS:
        assert zoo.find(name).name == name


def test_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(UsageError, match=r"no network is called 'basline'; there are: baseline, deeper"):
        zoo.find("basline")
