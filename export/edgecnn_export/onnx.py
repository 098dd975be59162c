"""Keras model to ONNX bytes in every precision; the quantization is onnxruntime's."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgecnn_export.dataset import Images
from edgecnn_export.onnx_graph import checked, converting, write_float
from edgecnn_export.onnx_int8 import OnnxInt8

if TYPE_CHECKING:
    import keras


def convert(model: keras.Model, precision: str, calibration: Images | None) -> bytes:
    """Convert to an ONNX model with a free batch size.

    The input ``pixels`` is uint8, shape (N, height, width, 3), the output ``probabilities`` float32, shape
    (N, classes), in every precision.

    Args:
        model: takes pixels 0..255, gives probabilities.
        precision: ``fp32``; ``fp16``; ``dynamic`` (8-bit weights, ranges of activations found while running);
            ``int8`` (ranges from ``calibration``, in the QuantizeLinear/DequantizeLinear form).
        calibration: images that set the int8 ranges, shape (N, height, width, 3); needed for ``int8``.

    Raises:
        ExportError: tf2onnx or onnxruntime cannot convert the model, or it is larger than 2 GB.
    """
    if precision == "int8":
        assert calibration is not None
        return OnnxInt8(model, calibration).convert()
    with converting(model.name, precision), TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        write_float(model, path)
        if precision == "fp16":
            _half(path)
        elif precision == "dynamic":
            _dynamic(path)
        return checked(path)


def _half(path: Path) -> None:
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), path)


def _dynamic(path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # onnxruntime computes dynamic convolutions with unsigned weights only.
    quantize_dynamic(path, path, weight_type=QuantType.QUInt8, per_channel=True)
