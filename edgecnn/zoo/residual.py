"""What residual networks are made of (He et al., "Deep Residual Learning for Image Recognition", 2016)."""

from __future__ import annotations

from typing import Any


def conv_norm(
    x: Any, filters: int, name: str, size: int = 3, strides: int = 1, bias: bool = False, activate: bool = True
) -> Any:
    """A convolution of ``size`` x ``size``, batch normalisation, and ReLU unless not to ``activate``."""
    from keras import layers

    conv = layers.Conv2D(
        filters, size, strides=strides, padding="same", use_bias=bias, kernel_initializer="he_normal", name=name
    )
    x = layers.BatchNormalization(name=f"{name}_norm")(conv(x))
    return layers.ReLU(name=f"{name}_relu")(x) if activate else x


def block(x: Any, shortcut: Any, filters: int, strides: int, name: str, bias: bool = False) -> Any:
    """Two convolutions of ``x``, added to its ``shortcut``, which has their shape already."""
    from keras import layers

    x = conv_norm(x, filters, f"{name}_conv_1", strides=strides, bias=bias)
    x = conv_norm(x, filters, f"{name}_conv_2", bias=bias, activate=False)
    return layers.ReLU(name=f"{name}_relu")(layers.Add(name=f"{name}_add")([shortcut, x]))
