"""GoogLeNet (Inception v1): 22 layers, nine inception modules, and two classifiers that help in training only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgecnn.zoo.local_response import local_response
from edgecnn.zoo.network import Network
from edgecnn.zoo.preprocessing import centre

if TYPE_CHECKING:
    import keras

# Table 1 of the paper: filters of 1x1; of 3x3 and the reduction before it; of 5x5 likewise; of 1x1 after the pool.
_MODULES = {
    "3a": (64, (96, 128), (16, 32), 32),
    "3b": (128, (128, 192), (32, 96), 64),
    "4a": (192, (96, 208), (16, 48), 64),
    "4b": (160, (112, 224), (24, 64), 64),
    "4c": (128, (128, 256), (24, 64), 64),
    "4d": (112, (144, 288), (32, 64), 64),
    "4e": (256, (160, 320), (32, 128), 128),
    "5a": (256, (160, 320), (32, 128), 128),
    "5b": (384, (192, 384), (48, 128), 128),
}
_POOLED_BEFORE = ("4a", "5a")
_AUXILIARY_AFTER = ("4a", "4d")


def _googlenet(pixels: Any, classes: int) -> Any:
    from keras import layers

    x = _conv(centre(pixels), 64, 7, "conv_1", strides=2)
    x = _pool(x, 2, "pool_1")
    x = local_response(x, "local_response_1")
    x = _conv(x, 64, 1, "conv_2_reduce")
    x = _conv(x, 192, 3, "conv_2")
    x = local_response(x, "local_response_2")
    x = _pool(x, 2, "pool_2")
    for name in _MODULES:
        if name in _POOLED_BEFORE:
            x = _pool(x, 2, f"pool_{name}")
        x = _inception(x, name)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    x = layers.Dropout(0.4, name="dropout")(x)
    return layers.Dense(classes, activation="softmax", dtype="float32", name="probabilities")(x)


def _inception(x: Any, name: str) -> Any:
    from keras import layers

    ones, (reduce_3, threes), (reduce_5, fives), pooled = _MODULES[name]
    branches = [
        _conv(x, ones, 1, f"{name}_1x1"),
        _conv(_conv(x, reduce_3, 1, f"{name}_3x3_reduce"), threes, 3, f"{name}_3x3"),
        _conv(_conv(x, reduce_5, 1, f"{name}_5x5_reduce"), fives, 5, f"{name}_5x5"),
        _conv(_pool(x, 1, f"{name}_pool"), pooled, 1, f"{name}_pool_project"),
    ]
    return layers.Concatenate(name=name)(branches)


def _conv(x: Any, filters: int, size: int, name: str, strides: int = 1) -> Any:
    from keras import layers

    return layers.Conv2D(filters, size, strides=strides, padding="same", activation="relu", name=name)(x)


def _pool(x: Any, strides: int, name: str) -> Any:
    from keras import layers

    return layers.MaxPooling2D(3, strides=strides, padding="same", name=name)(x)


def _auxiliary(model: keras.Model, classes: int) -> list[Any]:
    """The classifiers of section 5 of the paper, on the inner modules 4a and 4d."""
    from keras import layers

    outputs = []
    for module in _AUXILIARY_AFTER:
        name = f"auxiliary_{module}"
        x = layers.AveragePooling2D(5, strides=3, name=f"{name}_pool")(model.get_layer(module).output)
        x = _conv(x, 128, 1, f"{name}_conv")
        x = layers.Flatten(name=f"{name}_flatten")(x)
        x = layers.Dense(1024, activation="relu", name=f"{name}_dense")(x)
        x = layers.Dropout(0.7, name=f"{name}_dropout")(x)
        outputs.append(layers.Dense(classes, activation="softmax", dtype="float32", name=name)(x))
    return outputs


GOOGLENET = Network(
    "googlenet",
    _googlenet,
    224,
    224,
    classes=1000,
    parameters=6_998_552,
    multiply_adds=1_582_671_872,
    source="Szegedy et al., 2015",
    auxiliary=_auxiliary,
)
