"""Keras model to TFLite bytes, through TensorFlow's converter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecnn_export.dataset import Images
from edgecnn_export.tflite_converter import converter, converting, quantizing
from edgecnn_export.tflite_int8 import TFLiteInt8

if TYPE_CHECKING:
    import keras


def convert(model: keras.Model, precision: str, calibration: Images | None) -> bytes:
    """Convert to a TFLite model for one image at a time.

    The input is uint8 pixels, shape (1, height, width, 3), float32 with ``int16x8``. The output is float32
    probabilities, shape (1, classes); with ``int8`` it is uint8, quantized, and all arithmetic is on integers (Jacob et
    al., 2018).

    Args:
        model: takes pixels 0..255, gives probabilities.
        precision: ``fp32``; ``fp16`` and ``dynamic`` keep the weights in half precision and in 8 bits; ``int16x8``
            has 8-bit weights and 16-bit values between the layers; ``int8``.
        calibration: images that set the ranges, shape (N, height, width, 3); needed for ``int8`` and ``int16x8``.

    Raises:
        ExportError: TensorFlow cannot convert the model, or the calibration images do not span 0 to 255.
    """
    import tensorflow as tf

    if precision == "int8":
        assert calibration is not None
        return TFLiteInt8(model, calibration).convert()
    if precision == "int16x8":
        assert calibration is not None
        made = quantizing(model, calibration, "EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8")
    else:
        made = converter(model, "uint8")
        made.optimizations = [] if precision == "fp32" else [tf.lite.Optimize.DEFAULT]
        made.target_spec.supported_types = [tf.float16] if precision == "fp16" else []
    with converting(model.name, precision):
        return bytes(made.convert())
