"""AlexNet's two groups, and GoogLeNet's auxiliary classifiers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.zoo.alexnet import _two_groups
from edgecnn.zoo.layer_table import layer_table

CONVOLUTIONS_AND_DENSE = {  # Krizhevsky et al., 2012, figure 2
    "alexnet": {
        "conv_1": ((55, 55, 96), 34_944),
        "conv_2_a": ((27, 27, 128), 153_728),
        "conv_2_b": ((27, 27, 128), 153_728),
        "conv_3": ((13, 13, 384), 885_120),
        "conv_4_a": ((13, 13, 192), 331_968),
        "conv_4_b": ((13, 13, 192), 331_968),
        "conv_5_a": ((13, 13, 128), 221_312),
        "conv_5_b": ((13, 13, 128), 221_312),
        "dense_6": ((4096,), 37_752_832),
        "dense_7": ((4096,), 16_781_312),
        "probabilities": ((1000,), 4_097_000),
    }
}
MODULES = {  # Szegedy et al., 2015, table 1
    "3a": (28, 28, 256),
    "3b": (28, 28, 480),
    "4a": (14, 14, 512),
    "4b": (14, 14, 512),
    "4c": (14, 14, 512),
    "4d": (14, 14, 528),
    "4e": (14, 14, 832),
    "5a": (7, 7, 832),
    "5b": (7, 7, 1024),
}


@pytest.fixture(scope="module")
def googlenet(keras: Any) -> Any:
    return zoo.find("googlenet").build(1000)


def test_alexnet_layers(keras: Any) -> None:
    table = layer_table(zoo.find("alexnet").outline(1000))
    keras.utils.clear_session()
    found = {layer.name: (layer.output_shape, layer.parameters) for layer in table if layer.parameters}
    assert found == CONVOLUTIONS_AND_DENSE["alexnet"]
    names = [layer.name for layer in table]
    assert names[2:5] == ["conv_1", "local_response_1", "pool_1"]
    assert names[names.index("conv_2") :][:3] == ["conv_2", "local_response_2", "pool_2"]


def test_two_groups_are_a_convolution_in_two_groups(keras: Any) -> None:
    given = keras.Input((9, 9, 8))
    ours = keras.Model(given, _two_groups(given, 6, 3, "conv"))
    grouped = keras.layers.Conv2D(6, 3, padding="same", groups=2, activation="relu")
    theirs = keras.Model(given, grouped(given))
    halves = [ours.get_layer(f"conv_{group}").get_weights() for group in "ab"]
    grouped.set_weights([np.concatenate(pair, -1) for pair in zip(*halves, strict=True)])
    pixels = np.random.default_rng(0).normal(size=(2, 9, 9, 8)).astype(np.float32)
    np.testing.assert_allclose(np.asarray(ours(pixels)), np.asarray(theirs(pixels)), atol=1e-5)


def test_googlenet_modules(googlenet: Any) -> None:
    assert {name: googlenet.get_layer(name).output.shape[1:] for name in MODULES} == MODULES


def test_googlenet_is_22_layers_deep(googlenet: Any) -> None:
    """Counted along the longest way, as the paper does: each module is two deep."""
    convolutions = [layer.name for layer in googlenet.layers if layer.count_params()]
    trunk = [name for name in convolutions if not name[0].isdigit()]
    assert len(trunk) + 2 * len(MODULES) == 22


def test_auxiliary_classifiers_exist_in_training_only(googlenet: Any) -> None:
    trained = zoo.find("googlenet").with_auxiliary(googlenet)
    assert trained.count_params() == 13_378_280
    assert [tuple(output.shape) for output in trained.outputs] == [(None, 1000)] * 3
    assert googlenet.count_params() == 6_998_552
    assert [layer for layer in trained.layers if layer.name.startswith("auxiliary")]
    assert not [layer for layer in googlenet.layers if layer.name.startswith("auxiliary")]
    assert trained.get_layer("3a_1x1") is googlenet.get_layer("3a_1x1")


def test_auxiliary_classifiers_help_the_inner_modules_only(googlenet: Any, keras: Any) -> None:
    trained = zoo.find("googlenet").with_auxiliary(googlenet)
    first = keras.Model(trained.input, trained.outputs[1])
    names = {layer.name for layer in first.layers}
    assert {"4a", "auxiliary_4a"} <= names
    assert not {"4b", "auxiliary_4d", "probabilities"} & names


def test_other_networks_are_trained_as_they_are(keras: Any) -> None:
    network = zoo.find("lenet5")
    model = network.build(10)
    assert network.with_auxiliary(model) is model
