"""TensorFlow's converter, set up for a Keras model that takes pixels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn_export.conversion import conversion
from edgecnn_export.dataset import Images
from edgecnn_export.saved_model import with_pixels_in

if TYPE_CHECKING:
    import keras


def traced(model: keras.Model, input_type: str) -> Any:
    """The model as a TensorFlow module for one image at a time, shape (1, height, width, 3), of that type."""
    import tensorflow as tf

    return with_pixels_in(model, tf.TensorSpec((1, *model.input_shape[1:]), input_type, "pixels"))


def converter(module: Any) -> Any:
    """A converter of such a module.

    It is asked for nothing yet but one thing: dense layers quantized per channel need FULLY_CONNECTED version 12,
    which tflite-runtime 2.14 does not have.
    """
    import tensorflow as tf

    made = tf.lite.TFLiteConverter.from_concrete_functions([module.serve.get_concrete_function()], module)
    made._experimental_disable_per_channel_quantization_for_dense_layers = True
    return made


def samples(images: Images) -> Iterator[list[Any]]:
    """Images, shape (N, height, width, 3), one by one as TensorFlow's tools want them."""
    return ([image[None].astype(np.float32)] for image in images)


def converting(name: str, precision: str) -> AbstractContextManager[None]:
    """Around every call of the converter; see :func:`edgecnn_export.conversion.conversion`."""
    return conversion(f"TensorFlow cannot convert {name} to {precision} TFLite")
