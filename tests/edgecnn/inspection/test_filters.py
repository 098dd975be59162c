"""Filters: normalised as it is said, and in the colours of the picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecnn import zoo
from edgecnn.inspection import layers
from edgecnn.inspection.filters import filters
from edgecnn.zoo.preprocessing import caffe


def test_each_filter_is_divided_by_its_own_largest_weight(resnet8: Any) -> None:
    for name in ("conv", "stage_1_conv_1"):
        layer = resnet8.get_layer(name)
        kernel = layer.get_weights()[0]
        found = filters(resnet8, layer)
        assert found.shape == kernel.shape
        np.testing.assert_allclose(np.abs(found).max((0, 1, 2)), 1)
        for index in range(kernel.shape[3]):
            np.testing.assert_allclose(
                found[..., index] * np.abs(kernel[..., index]).max(), kernel[..., index], atol=1e-6
            )


def test_a_filter_of_zeros_stays_one(keras: Any) -> None:
    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.Conv2D(2, 3, kernel_initializer="zeros", name="conv")(pixels))
    assert not filters(model, model.get_layer("conv")).any()


def test_colours_are_the_pictures_where_the_network_has_turned_them_round(keras: Any) -> None:
    pixels = keras.Input((8, 8, 3), name="pixels")
    model = keras.Model(pixels, keras.layers.Conv2D(1, 3, name="conv")(caffe(pixels)))
    blue, green, red = 0.25, 0.5, -1.0  # as the network has them
    conv = model.get_layer("conv")
    conv.set_weights([np.broadcast_to([[blue], [green], [red]], (3, 3, 3, 1)), np.zeros(1)])
    np.testing.assert_allclose(filters(model, conv)[1, 1, :, 0], [red, green, blue])


def test_depthwise_filters_have_one_channel(keras: Any) -> None:
    pixels = keras.Input((8, 8, 3))
    model = keras.Model(pixels, keras.layers.DepthwiseConv2D(3, depth_multiplier=2, name="conv")(pixels))
    found = filters(model, model.get_layer("conv"))
    assert found.shape == (3, 3, 1, 6)
    np.testing.assert_allclose(np.abs(found).max((0, 1, 2)), 1)


def test_the_first_convolutions_with_filters_that_are_pictures(keras: Any) -> None:
    assert keras
    for name, expected in (
        ("deeper", ["conv_1", "conv_2"]),
        ("baseline", ["conv"]),
        ("resnet50", ["conv1_conv", "conv2_block1_2_conv"]),  # between them is one of 1 x 1
    ):
        assert [layer.name for layer in layers.with_filters(zoo.find(name).outline(10))] == expected
