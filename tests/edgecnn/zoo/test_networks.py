"""What holds for every network: its size to the last parameter, and what it promises to everybody else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.zoo.applications import APPLICATIONS
from edgecnn.zoo.layer_table import layer_table
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import CASES
from edgecnn_runtime.errors import UsageError

ROOT = Path(__file__).parents[3]

# Input height and width, classes, and parameters: from the papers, MLPerf Tiny and the documentation of Keras; of the
# edge family, which is our own, as they were when it was made.
PUBLISHED = {
    "baseline": ((32, 32), 10, 226_390),
    "deeper": ((32, 32), 10, 1_628_214),
    "lenet5": ((32, 32), 10, 61_730),
    "resnet8": ((32, 32), 10, 78_666),
    "resnet20": ((32, 32), 10, 271_098),
    "resnet56": ((32, 32), 10, 857_082),
    "edge-xs": ((32, 32), 10, 80_538),
    "edge-s": ((32, 32), 10, 270_650),
    "edge-m": ((32, 32), 10, 901_322),
    "edge-l": ((32, 32), 10, 2_689_802),
    "edge-xl": ((32, 32), 10, 10_492_874),
    "alexnet": ((227, 227), 1000, 60_965_224),
    "googlenet": ((224, 224), 1000, 6_998_552),
    "convnext_tiny": ((224, 224), 1000, 28_589_128),
    "convnext_small": ((224, 224), 1000, 50_223_688),
    "convnext_base": ((224, 224), 1000, 88_591_464),
    "convnext_large": ((224, 224), 1000, 197_767_336),
    "convnext_xlarge": ((224, 224), 1000, 350_196_968),
    "densenet121": ((224, 224), 1000, 8_062_504),
    "densenet169": ((224, 224), 1000, 14_307_880),
    "densenet201": ((224, 224), 1000, 20_242_984),
    "efficientnet_b0": ((224, 224), 1000, 5_330_571),
    "efficientnet_b1": ((240, 240), 1000, 7_856_239),
    "efficientnet_b2": ((260, 260), 1000, 9_177_569),
    "efficientnet_b3": ((300, 300), 1000, 12_320_535),
    "efficientnet_b4": ((380, 380), 1000, 19_466_823),
    "efficientnet_b5": ((456, 456), 1000, 30_562_527),
    "efficientnet_b6": ((528, 528), 1000, 43_265_143),
    "efficientnet_b7": ((600, 600), 1000, 66_658_687),
    "efficientnet_v2_b0": ((224, 224), 1000, 7_200_312),
    "efficientnet_v2_b1": ((240, 240), 1000, 8_212_124),
    "efficientnet_v2_b2": ((260, 260), 1000, 10_178_374),
    "efficientnet_v2_b3": ((300, 300), 1000, 14_467_622),
    "efficientnet_v2_s": ((384, 384), 1000, 21_612_360),
    "efficientnet_v2_m": ((480, 480), 1000, 54_431_388),
    "efficientnet_v2_l": ((480, 480), 1000, 119_027_848),
    "inception_resnet_v2": ((299, 299), 1000, 55_873_736),
    "inception_v3": ((299, 299), 1000, 23_851_784),
    "mobilenet": ((224, 224), 1000, 4_253_864),
    "mobilenet_v2": ((224, 224), 1000, 3_538_984),
    "mobilenet_v3_small": ((224, 224), 1000, 2_554_968),
    "mobilenet_v3_large": ((224, 224), 1000, 5_507_432),
    "nasnet_mobile": ((224, 224), 1000, 5_326_716),
    "nasnet_large": ((331, 331), 1000, 88_949_818),
    "resnet50": ((224, 224), 1000, 25_636_712),
    "resnet101": ((224, 224), 1000, 44_707_176),
    "resnet152": ((224, 224), 1000, 60_419_944),
    "resnet50_v2": ((224, 224), 1000, 25_613_800),
    "resnet101_v2": ((224, 224), 1000, 44_675_560),
    "resnet152_v2": ((224, 224), 1000, 60_380_648),
    "vgg16": ((224, 224), 1000, 138_357_544),
    "vgg19": ((224, 224), 1000, 143_667_240),
    "xception": ((299, 299), 1000, 22_910_480),
}

OF_KERAS = {network.name for network in APPLICATIONS}
OWN = {name: network for name, network in zoo.NETWORKS.items() if name not in OF_KERAS}
SMALL = {name: network for name, network in OWN.items() if network.height == 32}
QUICK = {*OWN, "vgg16", "mobilenet_v2", "resnet50", "efficientnet_b0"}


@pytest.fixture
def forgetful(keras: Any) -> Iterator[None]:
    """Outlines are forgotten afterwards; Keras would give them values at the next chance."""
    yield
    keras.utils.clear_session()


@pytest.fixture(params=list(SMALL.values()), ids=list(SMALL))
def network(request: pytest.FixtureRequest) -> zoo.Network:
    found: zoo.Network = request.param
    return found


@pytest.fixture
def model(network: zoo.Network, keras: Any) -> Any:
    keras.utils.set_random_seed(0)
    return network.build(10)


@pytest.mark.usefixtures("forgetful")
@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.full) for name in zoo.NETWORKS]
)
def test_size(name: str) -> None:
    size, classes, parameters = PUBLISHED[name]
    network = zoo.find(name)
    outline = network.outline(network.classes)
    assert (network.height, network.width) == size
    assert outline.input_shape == (None, *size, 3)
    assert outline.output_shape == (None, classes)
    assert outline.count_params() == network.parameters == parameters
    table = layer_table(outline)
    assert sum(layer.parameters for layer in table) == parameters
    assert sum(layer.multiply_adds for layer in table) == network.multiply_adds


def test_every_network_has_a_published_size() -> None:
    assert set(PUBLISHED) == set(zoo.NETWORKS)


def test_every_network_has_a_test_of_each_export() -> None:
    """Of Keras's own, one of each kind stands for the rest."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/parity"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    collected = ended.stdout.splitlines()
    for name in (*OWN, "vgg16", "mobilenet_v2", "resnet50", "efficientnet_v2_b0"):
        for form, precision in CASES:
            assert any(f"[{name}-{form}-{precision}]" in line for line in collected), (name, form, precision)


def test_everything_else_learns(network: zoo.Network, model: Any) -> None:
    fixed = [weight for weight in model.weights if not weight.trainable]
    assert all("moving_" in weight.path for weight in fixed)
    assert all(layer.trainable for layer in model.layers)


def test_pixels_in_probabilities_out(model: Any, watched: Dataset) -> None:
    scores = np.asarray(model(watched.images[:50].astype(np.float32), training=False))
    assert scores.dtype == np.float32
    assert scores.shape == (50, 10)
    assert (scores >= 0).all()
    np.testing.assert_allclose(scores.sum(-1), 1, atol=1e-6)


def test_the_softmax_is_float32_whatever_computes(network: zoo.Network, keras: Any) -> None:
    for each in (network, zoo.find("mobilenet_v3_small")):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy("mixed_bfloat16")
        try:
            mixed = each.build(10)
        finally:
            keras.config.set_dtype_policy(before)
        assert mixed.layers[-1].compute_dtype == "float32"
        assert np.asarray(mixed(np.zeros((1, each.height, each.width, 3)))).dtype == np.float32


def test_other_numbers_of_classes(network: zoo.Network) -> None:
    assert network.build(3).output_shape == (None, 3)


def test_pictures_of_another_size_are_resized_inside(network: zoo.Network, model: Any) -> None:
    larger = network.build(10, 64, 96)
    assert larger.input_shape == (None, 64, 96, 3)
    assert larger.count_params() == network.parameters
    larger.set_weights(model.get_weights())
    flat = np.full((1, 1, 1, 3), (10, 200, 90), np.float32)
    expected = np.asarray(model(flat.repeat(32, 1).repeat(32, 2), training=False))
    got = np.asarray(larger(flat.repeat(64, 1).repeat(96, 2), training=False))
    np.testing.assert_allclose(got, expected, atol=1e-5)


def test_each_is_found_by_its_name() -> None:
    for name, network in zoo.NETWORKS.items():
        assert zoo.find(name) is network
        assert network.name == name


def test_an_unknown_name_gets_similar_ones() -> None:
    with pytest.raises(UsageError, match=r"no network is called 'basline'; there are, for instance, baseline; "):
        zoo.find("basline")
    with pytest.raises(UsageError, match=r"'#'; there are, for instance, baseline, deeper, lenet5; `edgecnn models`"):
        zoo.find("#")
