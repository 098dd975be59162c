"""The filters of a convolution as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgecnn.inspection.layers import as_batch

if TYPE_CHECKING:
    import keras

Values = npt.NDArray[np.float32]


def filters(model: keras.Model, layer: keras.Layer) -> Values:
    """Each filter of a layer, divided by its own largest weight: from -1 to 1, and 0 stays 0.

    Args:
        model: takes RGB pixels 0..255.
        layer: a convolution of it that :func:`edgecnn.inspection.layers.has_filters`.

    Returns:
        Shape (rows, columns, channels, filters). The three channels of a filter on the picture itself are red, green
        and blue, whatever order the network has put them in before.
    """
    import keras

    weights = np.asarray(keras.ops.convert_to_numpy(layer.kernel), np.float32)
    if type(layer).__name__ == "DepthwiseConv2D":
        weights = weights.reshape(*weights.shape[:2], 1, -1)
    if weights.shape[2] == 3:
        weights = weights[:, :, _order(model, layer)]
    largest = np.abs(weights).max((0, 1, 2))
    return np.asarray(weights / np.where(largest > 0, largest, 1), np.float32)


def _order(model: keras.Model, layer: keras.Layer) -> list[int]:
    """Which channel of the layer's input answers to red, to green and to blue."""
    import keras

    height, width = model.input_shape[1:3]
    before = keras.Model(model.inputs[0], layer.input)
    colours = np.concatenate([np.zeros((1, 3), np.uint8), 255 * np.eye(3, dtype=np.uint8)])
    pictures = (np.broadcast_to(colour, (height, width, 3)) for colour in colours)
    black, *answers = (keras.ops.convert_to_numpy(before(as_batch(each), training=False)) for each in pictures)
    changes = np.array([np.abs(each - black).mean((0, 1, 2)) for each in answers])
    order = changes.argmax(1).tolist()
    return order if sorted(order) == [0, 1, 2] else [0, 1, 2]
