"""The residual networks for small pictures."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.zoo.layer_table import layer_table
from edgecnn.zoo.resnet import _subsampled


@pytest.mark.parametrize(("name", "depth", "trainable"), [("resnet20", 20, 269_722), ("resnet56", 56, 853_018)])
def test_depth_and_shortcuts_without_parameters(name: str, depth: int, trainable: int, keras: Any) -> None:
    model = zoo.find(name).build(10)
    weighted = [layer for layer in layer_table(model) if layer.multiply_adds]
    assert len(weighted) == depth
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == trainable
    widths = {shape: shapes.count(shape) for shapes in [[layer.output_shape for layer in weighted]] for shape in shapes}
    third = (depth - 2) // 3
    assert widths == {(32, 32, 16): third + 1, (16, 16, 32): third, (8, 8, 64): third, (10,): 1}


def test_resnet8_is_mlperf_tinys(keras: Any) -> None:
    model = zoo.find("resnet8").build(10)
    table = [(layer.output_shape, layer.parameters) for layer in layer_table(model) if layer.multiply_adds]
    assert sorted(table) == sorted(
        [
            ((32, 32, 16), 448),
            *[((32, 32, 16), 2_320)] * 2,
            ((16, 16, 32), 4_640),
            ((16, 16, 32), 9_248),
            ((16, 16, 32), 544),
            ((8, 8, 64), 18_496),
            ((8, 8, 64), 36_928),
            ((8, 8, 64), 2_112),
            ((10,), 650),
        ]
    )


def test_a_subsampled_shortcut_is_every_second_pixel_among_zeros(keras: Any) -> None:
    given = keras.Input((8, 6, 4))
    model = keras.Model(given, _subsampled(given, 10, "shortcut"))
    activations = np.random.default_rng(0).normal(size=(2, 8, 6, 4)).astype(np.float32)
    shortcut = np.asarray(model(activations))
    assert shortcut.shape == (2, 4, 3, 10)
    np.testing.assert_array_equal(shortcut[..., 3:7], activations[:, ::2, ::2])
    assert not shortcut[..., :3].any()
    assert not shortcut[..., 7:].any()


def test_a_block_adds_its_input(keras: Any) -> None:
    """With its second normalisation silenced, a block passes on what it was given: that is what residual means."""
    model = zoo.find("resnet20").build(10)
    norm = model.get_layer("stage_1_1_conv_2_norm")
    gamma, *others = norm.get_weights()
    norm.set_weights([0 * gamma, *others])
    ends = keras.Model(model.input, [model.get_layer("conv_relu").output, model.get_layer("stage_1_1_relu").output])
    before, after = ends(np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32))
    np.testing.assert_allclose(np.asarray(after), np.asarray(before), atol=1e-6)
