"""Keras model to TFLite bytes, through TensorFlow's converter."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from edgecnn_export.dataset import Images
from edgecnn_export.tflite_converter import converter, converting, traced
from edgecnn_export.tflite_int8 import TFLiteInt8

if TYPE_CHECKING:
    import keras


class TFLite:
    """A network on its way to TFLite, for one image at a time; an :class:`edgecnn_export.operators.Network`.

    It is traced once for all files in float, and calibrated once for all in integers, when the first is asked for.
    """

    def __init__(self, model: keras.Model, calibration: Images | None) -> None:
        """Take the model, from pixels 0..255 to probabilities, and images, shape (N, height, width, 3).

        The images set the ranges for ``int8`` and ``int16x8``, and are needed for nothing else.
        """
        self._model, self._images = model, calibration

    def convert(self, precision: str) -> bytes:
        """The file in that precision.

        The input is uint8 pixels, shape (1, height, width, 3), float32 with ``int16x8``. The output is float32
        probabilities, shape (1, classes); with ``int8`` it is uint8, quantized, and all arithmetic is on integers
        (Jacob et al., 2018).

        Args:
            precision: ``fp32``; ``fp16`` and ``dynamic`` keep the weights in half precision and in 8 bits; ``int16x8``
                has 8-bit weights and 16-bit values between the layers; ``int8``.

        Raises:
            ExportError: TensorFlow cannot convert the model.
        """
        import tensorflow as tf

        if precision == "int8":
            return self.int8.convert()
        if precision == "int16x8":
            return self.int8.in_16_bits()
        with converting(self._model.name, precision):
            made = converter(self._of_pixels)
            made.optimizations = [] if precision == "fp32" else [tf.lite.Optimize.DEFAULT]
            made.target_spec.supported_types = [tf.float16] if precision == "fp16" else []
            return bytes(made.convert())

    @cached_property
    def int8(self) -> TFLiteInt8:
        """The calibrated network; see :class:`edgecnn_export.operators.Int8`."""
        assert self._images is not None
        return TFLiteInt8(self._model, self._images)

    @cached_property
    def _of_pixels(self) -> Any:
        return traced(self._model, "uint8")


def convert(model: keras.Model, precision: str, calibration: Images | None) -> bytes:
    """One file only, as :meth:`TFLite.convert`."""
    return TFLite(model, calibration).convert(precision)
