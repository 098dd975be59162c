"""From pixels 0..255 to what a network was trained on, as layers: the ways of ``keras.applications`` and our own."""

from __future__ import annotations

from typing import Any

IMAGENET_MEAN = (123.68, 116.779, 103.939)
"""Mean R, G and B of ImageNet's training images, from 0 to 255."""

_MEAN, _DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def centre(pixels: Any) -> Any:
    """Subtract the mean colour (Krizhevsky et al., 2012)."""
    from keras import layers

    return layers.Rescaling(1.0, offset=[-mean for mean in IMAGENET_MEAN], name="normalise")(pixels)


def caffe(pixels: Any) -> Any:
    """Subtract the mean colour and put the channels in the order blue, green, red."""
    from keras import ops

    return ops.take(centre(pixels), [2, 1, 0], axis=-1)


def tf(pixels: Any) -> Any:
    """Scale to -1..1."""
    from keras import layers

    return layers.Rescaling(1 / 127.5, offset=-1.0, name="normalise")(pixels)


def unit(pixels: Any) -> Any:
    """Scale to 0..1."""
    from keras import layers

    return layers.Rescaling(1 / 255, name="normalise")(pixels)


def torch(pixels: Any) -> Any:
    """Subtract the mean colour and divide by the standard deviation, both from 0 to 1."""
    from keras import layers

    scale = [1 / (255 * deviation) for deviation in _DEVIATION]
    offset = [-mean / deviation for mean, deviation in zip(_MEAN, _DEVIATION, strict=True)]
    return layers.Rescaling(scale, offset=offset, name="normalise")(pixels)


def efficientnet(pixels: Any) -> Any:
    """What Keras's EfficientNet adds to its own normalisation if it is built for its ImageNet weights.

    Their layer divides by the square root of the deviation, one square root short; the factor stands before it here
    and leaves the mean where it is.
    """
    from keras import layers

    scale = [deviation**-0.5 for deviation in _DEVIATION]
    offset = [255 * mean * (1 - factor) for mean, factor in zip(_MEAN, scale, strict=True)]
    return layers.Rescaling(scale, offset=offset, name="normalise")(pixels)


def included(pixels: Any) -> Any:
    """Nothing: the network has its own layers for it."""
    return pixels
