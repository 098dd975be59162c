"""Residual networks for pictures of 32 x 32 pixels."""

from __future__ import annotations

from functools import partial
from typing import Any

from edgecnn.zoo.network import Network
from edgecnn.zoo.preprocessing import tf
from edgecnn.zoo.residual import block, conv_norm


def _resnet(pixels: Any, classes: int, blocks: int) -> Any:
    """6 n + 2 layers, n blocks a stage, and shortcuts without parameters (section 4.2 of the paper, option A)."""
    x = conv_norm(tf(pixels), 16, "conv")
    for stage, filters in enumerate((16, 32, 64)):
        for number in range(blocks):
            name = f"stage_{stage + 1}_{number + 1}"
            strides = 2 if stage and not number else 1
            shortcut = _subsampled(x, filters, name) if strides > 1 else x
            x = block(x, shortcut, filters, strides, name)
    return _classify(x, classes)


def _resnet8(pixels: Any, classes: int) -> Any:
    """MLPerf Tiny's reference for image classification: one block a stage, and 1x1 convolutions as shortcuts."""
    from keras import layers

    x = conv_norm(tf(pixels), 16, "conv", bias=True)
    x = block(x, x, 16, 1, "stage_1", bias=True)
    for stage, filters in enumerate((32, 64), 2):
        name = f"stage_{stage}"
        shortcut = layers.Conv2D(filters, 1, strides=2, kernel_initializer="he_normal", name=f"{name}_shortcut")(x)
        x = block(x, shortcut, filters, 2, name, bias=True)
    return _classify(x, classes)


def _subsampled(x: Any, filters: int, name: str) -> Any:
    """Every second row and column, with new channels of zeros on both sides of the old ones."""
    from keras import layers

    x = layers.MaxPooling2D(1, strides=2, name=f"{name}_subsample")(x)
    added = (filters - x.shape[-1]) // 2
    # To this layer, width and channels are a picture's height and width.
    return layers.ZeroPadding2D(((0, 0), (added, added)), data_format="channels_first", name=f"{name}_pad")(x)


def _classify(x: Any, classes: int) -> Any:
    from keras import layers

    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dense(
        classes,
        activation="softmax",
        kernel_initializer="he_normal",
        dtype="float32",
        name="probabilities",
    )(x)


RESNET8 = Network(
    "resnet8", _resnet8, 32, 32, 10, 78_666, 12_501_632, "MLPerf Tiny, Banbury et al., 2021", recipe="residual"
)


def _deep(name: str, blocks: int, parameters: int, multiply_adds: int) -> Network:
    layers = partial(_resnet, blocks=blocks)
    return Network(name, layers, 32, 32, 10, parameters, multiply_adds, "He et al., 2016", recipe="deep-residual")


RESNET20 = _deep("resnet20", 3, 271_098, 40_551_040)
RESNET56 = _deep("resnet56", 9, 857_082, 125_485_696)
