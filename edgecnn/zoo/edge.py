"""The edge family: residual networks for pictures of 32 x 32 pixels, made for int8 files of a given size.

Chosen from the literature for a small board: plain 3x3 convolutions, whose integer kernels are the fastest that
interpreters have; channels in multiples of 16, the width of those kernels; ReLU, which is fused into them and whose
range is known. Depthwise convolutions need fewer weights, but eight bits cost them more (Krishnamoorthi,
"Quantizing deep convolutional networks for efficient inference", 2018), and a file has 16 bytes of scale, zero point
and bias for every channel.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from edgecnn.zoo.network import Network
from edgecnn.zoo.preprocessing import tf
from edgecnn.zoo.residual import block, conv_norm


def _edge(pixels: Any, classes: int, widths: tuple[int, ...], depths: tuple[int, ...]) -> Any:
    """Stages of residual blocks (He et al., 2016), each with half the rows and columns of the one before.

    A shortcut into a new stage averages four pixels before its 1x1 convolution, so that none is thrown away (He et al.,
    "Bag of Tricks for Image Classification with Convolutional Neural Networks", 2019, section 4.2, ResNet-D).
    """
    from keras import layers

    x = conv_norm(tf(pixels), widths[0], "stem")
    for stage, (width, depth) in enumerate(zip(widths, depths, strict=True), 1):
        for number in range(1, depth + 1):
            name, strides = f"stage_{stage}_{number}", 2 if stage > 1 and number == 1 else 1
            shortcut = x
            if strides > 1:
                pooled = layers.AveragePooling2D(2, name=f"{name}_pool")(x)
                shortcut = conv_norm(pooled, width, f"{name}_shortcut", size=1, activate=False)
            x = block(x, shortcut, width, strides, name)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)


def _sized(
    size: str,
    widths: tuple[int, ...],
    depths: tuple[int, ...],
    parameters: int,
    multiply_adds: int,
    recipe: str = "edge-cutout",
) -> Network:
    layers = partial(_edge, widths=widths, depths=depths)
    paper = "after He et al., 2016 and 2019"
    return Network(f"edge-{size}", layers, 32, 32, 10, parameters, multiply_adds, paper, recipe=recipe)


EDGE = (
    _sized("xs", (16, 32, 48), (2, 2, 1), 80_538, 20_578_784, recipe="edge"),
    _sized("s", (16, 48, 64), (3, 3, 2), 270_650, 52_150_912),
    _sized("m", (32, 64, 144), (2, 3, 2), 901_322, 132_793_760),
    _sized("l", (32, 128, 240), (2, 3, 2), 2_689_802, 357_058_912),
    _sized("xl", (64, 256, 512), (2, 2, 2), 10_492_874, 1_184_568_320),
)
