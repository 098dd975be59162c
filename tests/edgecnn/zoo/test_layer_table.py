"""The layer table against numbers worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest

from edgecnn.zoo.layer_table import Layer, layer_table


def only(keras: Any, layer: Any, shape: tuple[int, ...]) -> Layer:
    """The row of a layer behind an input of that shape."""
    given = keras.Input(shape)
    _, row = layer_table(keras.Model(given, layer(given)))
    return row


def row(keras: Any, kind: str, *arguments: Any, **options: Any) -> Layer:
    shape = options.pop("shape", (8, 8, 4))
    return only(keras, getattr(keras.layers, kind)(*arguments, **options, name="layer"), shape)


def test_convolutions(keras: Any) -> None:
    # 36 positions, each with 3 x 3 x 4 products for each of 5 filters.
    assert row(keras, "Conv2D", 5, 3) == Layer("layer", "Conv2D", (6, 6, 5), 185, 36 * 180)
    assert row(keras, "Conv2D", 5, 3, strides=2, padding="same", use_bias=False).multiply_adds == 16 * 180
    # In two groups each filter sees two of the four channels.
    assert row(keras, "Conv2D", 6, 3, groups=2) == Layer("layer", "Conv2D", (6, 6, 6), 114, 36 * 108)
    # A filter of 3 x 3 a channel, two of them.
    assert row(keras, "DepthwiseConv2D", 3, depth_multiplier=2) == Layer(
        "layer", "DepthwiseConv2D", (6, 6, 8), 80, 36 * 72
    )
    # The depthwise kernel, then 4 channels to 5.
    assert row(keras, "SeparableConv2D", 5, 3) == Layer("layer", "SeparableConv2D", (6, 6, 5), 61, 36 * (36 + 20))
    # Each of the 64 pixels is spread over 2 x 2 pixels of 5 channels.
    assert row(keras, "Conv2DTranspose", 5, 2, strides=2) == Layer("layer", "Conv2DTranspose", (16, 16, 5), 85, 64 * 80)


def test_dense_layers(keras: Any) -> None:
    assert row(keras, "Dense", 7, shape=(10,)) == Layer("layer", "Dense", (7,), 77, 70)
    assert row(keras, "Dense", 7, shape=(3, 3, 10)) == Layer("layer", "Dense", (3, 3, 7), 77, 9 * 70)


@pytest.mark.parametrize(
    ("kind", "arguments", "parameters"),
    [("BatchNormalization", (), 16), ("MaxPooling2D", (2,), 0), ("ReLU", (), 0), ("GlobalAveragePooling2D", (), 0)],
)
def test_other_layers_multiply_nothing(kind: str, arguments: tuple[int, ...], parameters: int, keras: Any) -> None:
    found = row(keras, kind, *arguments)
    assert (found.parameters, found.multiply_adds) == (parameters, 0)


def test_models_within_models(keras: Any) -> None:
    layers = keras.layers
    deepest = keras.Sequential([layers.Conv2D(2, 1, name="conv")], name="deepest")
    given = keras.Input((4, 4, 3), name="given")
    inner = keras.Model(given, deepest(given), name="inner")
    pixels = keras.Input((4, 4, 3), name="pixels")
    weightless = keras.Sequential([layers.ReLU(), layers.MaxPooling2D(2)], name="weightless")
    flat = layers.Flatten(name="flatten")(weightless(inner(pixels)))
    outer = keras.Model(pixels, layers.Dense(5, name="dense")(flat))
    assert [(each.name, each.parameters, each.multiply_adds) for each in layer_table(outer)] == [
        ("pixels", 0, 0),
        ("inner/given", 0, 0),
        ("inner/deepest/conv", 8, 16 * 6),
        ("weightless", 0, 0),
        ("flatten", 0, 0),
        ("dense", 45, 40),
    ]


def test_operations_that_are_no_layers(keras: Any) -> None:
    pixels = keras.Input((4, 4, 6), name="pixels")
    left, right = keras.ops.split(pixels, 2, axis=-1)
    table = layer_table(keras.Model(pixels, left + right))
    assert [(each.type, each.output_shape) for each in table] == [
        ("InputLayer", (4, 4, 6)),
        ("Split", (4, 4, 3)),
        ("Add", (4, 4, 3)),
    ]
