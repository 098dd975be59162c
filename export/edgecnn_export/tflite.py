"""Keras model to TFLite bytes, through TensorFlow's converter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn_export.dataset import Images
from edgecnn_export.saved_model import with_pixels_in
from edgecnn_runtime.errors import ExportError
from edgecnn_runtime.quiet import quiet

if TYPE_CHECKING:
    import keras


def convert(model: keras.Model, precision: str, calibration: Images | None) -> bytes:
    """Convert to a TFLite model for one image at a time.

    The input is uint8 pixels, shape (1, height, width, 3). The output is float32 probabilities, shape (1, classes);
    with ``int8`` it is uint8, quantized, and all arithmetic is on integers (Jacob et al., 2018).

    Args:
        model: takes pixels 0..255, gives probabilities.
        precision: ``fp32``; ``fp16`` and ``dynamic`` keep the weights in half precision and in 8 bits; ``int8``.
        calibration: images that set the int8 ranges, shape (N, height, width, 3); needed for ``int8``.

    Raises:
        ExportError: TensorFlow cannot convert the model, or the calibration images do not span 0 to 255.
    """
    import tensorflow as tf

    pixels = tf.TensorSpec((1, *model.input_shape[1:]), tf.float32 if precision == "int8" else tf.uint8, "pixels")
    module = with_pixels_in(model, pixels)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([module.serve.get_concrete_function()], module)
    # Dense layers quantized per channel need FULLY_CONNECTED version 12, which tflite-runtime 2.14 does not have.
    converter._experimental_disable_per_channel_quantization_for_dense_layers = True
    if precision != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        assert calibration is not None
        _integer_only(tf, converter, calibration)
    try:
        with quiet():
            converted = bytes(converter.convert())
    except Exception as problem:  # the converter raises whatever its many layers raise
        first_line = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise ExportError(f"TensorFlow cannot convert {model.name} to {precision} TFLite ({first_line})") from None
    if precision == "int8":
        _require_pixel_input(converted)
    return converted


def _integer_only(tf: Any, converter: Any, calibration: Images) -> None:
    def representative() -> Iterator[list[Any]]:
        for image in calibration:
            yield [image[None].astype(np.float32)]

    converter.representative_dataset = representative
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.uint8
    converter.inference_output_type = tf.uint8


def _require_pixel_input(model: bytes) -> None:
    """Pixels must go in as they are: scale 1 and zero point 0, which calibration from 0 to 255 gives."""
    from tensorflow.lite.python import schema_py_generated as schema

    graph = schema.Model.GetRootAsModel(model, 0).Subgraphs(0)
    quantization = graph.Tensors(graph.Inputs(0)).Quantization()
    scale, zero_point = quantization.Scale(0), quantization.ZeroPoint(0)
    if (scale, zero_point) != (1.0, 0):
        raise ExportError(
            "the calibration images do not span the pixel values 0 to 255; calibrate with more varied images"
        )
