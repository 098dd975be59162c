"""Keras's networks: all of them, with Keras's own layers, and its preprocessing in the graph."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.zoo import preprocessing
from edgecnn.zoo.applications import _TABLE, APPLICATIONS, keras_function
from edgecnn_runtime.errors import UsageError

NAMES = [network.name for network in APPLICATIONS]
# To these, Keras's preprocess_input does nothing; the tests below compare the whole network.
NORMALISED_INSIDE = ("convnext", "efficientnet", "mobilenet_v3")
PIXELS = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3)).astype(np.float32)


def full(name: str) -> Any:
    return pytest.param(name, marks=pytest.mark.full)


def test_they_are_all_there(keras: Any) -> None:
    functions = {name for name in dir(keras.applications) if name[0].isupper()}
    assert {keras_function(name).__name__ for name in NAMES} == functions
    assert all(zoo.find(name).pretrained for name in NAMES)


def test_a_network_of_ours_has_no_keras_function() -> None:
    with pytest.raises(UsageError, match=r"lenet5 is not a network of keras\.applications; there are: .*vgg16"):
        keras_function("lenet5")


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith(NORMALISED_INSIDE)])
def test_preprocessing(name: str, keras: Any) -> None:
    expected = sys.modules[keras_function(name).__module__].preprocess_input(PIXELS.copy())
    given = keras.Input((8, 8, 3))
    graph = keras.Model(given, _TABLE[name].preprocess(given))
    np.testing.assert_allclose(np.asarray(graph(PIXELS)), expected, atol=1e-5)


def test_preprocessing_of_efficientnet(keras: Any) -> None:
    """Its weights hold ImageNet's mean and deviation, the latter in the place of a variance."""
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    given = keras.Input((8, 8, 3))
    scaled = keras.layers.Rescaling(1 / 255)(preprocessing.efficientnet(given))
    graph = keras.Model(given, keras.layers.Normalization(mean=mean, variance=deviation)(scaled))
    expected = (PIXELS / 255 - mean) / deviation
    np.testing.assert_allclose(np.asarray(graph(PIXELS)), expected, atol=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "mobilenet_v2",
        "mobilenet_v3_small",
        "efficientnet_v2_b0",
        *map(full, ("convnext_tiny", "densenet121", "efficientnet_v2_s", "resnet50", "vgg16")),
    ],
)
def test_keras_weights_by_name_give_keras_answers(name: str, keras: Any) -> None:
    """On the same pixels, preprocessed by Keras outside of its own model and by ours inside."""
    keras.utils.set_random_seed(0)
    network = zoo.find(name)
    theirs, ours = keras_function(name)(weights=None), network.build(1000)
    weighted = {layer.name for layer in theirs.layers if layer.weights}
    assert {layer.name for layer in ours.layers if layer.weights} == weighted
    for layer in weighted:
        ours.get_layer(layer).set_weights(theirs.get_layer(layer).get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (2, network.height, network.width, 3)).astype(np.float32)
    preprocess_input = sys.modules[keras_function(name).__module__].preprocess_input
    expected = np.asarray(theirs(preprocess_input(pixels.copy())))
    np.testing.assert_allclose(np.asarray(ours(pixels)), expected, rtol=1e-3, atol=1e-5)


@pytest.mark.full
@pytest.mark.parametrize("name", NAMES)
def test_it_can_be_described_and_built_again(name: str, keras: Any) -> None:
    outline = zoo.find(name).outline(10)
    with keras.StatelessScope(initialize_variables=False):
        again = keras.models.model_from_json(outline.to_json())
    assert [weight.shape for weight in again.weights] == [weight.shape for weight in outline.weights]
    keras.utils.clear_session()
