"""Keras model to ONNX bytes in every precision; the quantization is onnxruntime's."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgecnn_export.dataset import Images, batches
from edgecnn_export.onnx_graph import INPUT, write_float
from edgecnn_runtime.errors import ExportError
from edgecnn_runtime.quiet import quiet

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
    try:
        with quiet(), _python_logging_off(), TemporaryDirectory() as folder:
            path = Path(folder, "model.onnx")
            write_float(model, path)
            if precision == "fp16":
                _half(path)
            elif precision == "dynamic":
                _dynamic(path)
            elif precision == "int8":
                assert calibration is not None
                _static(path, calibration)
            import onnx

            onnx.checker.check_model(path, full_check=True)
            return path.read_bytes()
    except Exception as problem:  # the converters raise whatever their many layers raise
        first_line = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise ExportError(f"{model.name} cannot be converted to {precision} ONNX ({first_line})") from None


def _half(path: Path) -> None:
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), path)


def _dynamic(path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # onnxruntime computes dynamic convolutions with unsigned weights only.
    quantize_dynamic(path, path, weight_type=QuantType.QUInt8)


def _static(path: Path, calibration: Images) -> None:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = batches(calibration)

        def get_next(self) -> dict[str, Images] | None:
            batch = next(self._batches, None)
            return None if batch is None else {INPUT: batch}

    quantize_static(
        path,
        path,
        Reader(),
        quant_format=QuantFormat.QDQ,
        # Weights a channel and unsigned activations are what onnxruntime is fastest with. On x86 CPUs without
        # VNNI it adds pairs of products in 16 bits, which overflow; 7-bit weights cannot.
        per_channel=True,
        reduce_range=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        # A quantized softmax would round the probabilities to 1/256 for nothing.
        nodes_to_exclude=_softmaxes(path),
    )


def _softmaxes(path: Path) -> list[str]:
    import onnx

    return [node.name for node in onnx.load(path).graph.node if node.op_type == "Softmax"]


@contextlib.contextmanager
def _python_logging_off() -> Iterator[None]:
    """Keep the converters' advice, given to every caller, off a user's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
