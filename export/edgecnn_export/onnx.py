"""Keras model to ONNX bytes, through tf2onnx, and its quantization, through onnxruntime."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from edgecnn_export.dataset import Images
from edgecnn_runtime.errors import ExportError
from edgecnn_runtime.quiet import quiet

if TYPE_CHECKING:
    import keras

OPSET = 17
INPUT, OUTPUT = "pixels", "probabilities"
_BATCH = 50


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
        ExportError: tf2onnx or onnxruntime cannot convert the model.
    """
    try:
        with quiet(), _python_logging_off():
            proto = _float_model(model)
            if precision == "fp16":
                proto = _half(proto)
            elif precision == "dynamic":
                proto = _dynamic(proto)
            elif precision == "int8":
                assert calibration is not None
                proto = _static(proto, calibration)
            import onnx

            onnx.checker.check_model(proto, full_check=True)
            return bytes(proto.SerializeToString())
    except Exception as problem:  # the converters raise whatever their many layers raise
        first_line = (str(problem).strip() or type(problem).__name__).splitlines()[0]
        raise ExportError(f"{model.name} cannot be converted to {precision} ONNX ({first_line})") from None


def _float_model(model: keras.Model) -> Any:
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name=INPUT)]

    # tf2onnx's own from_keras does not understand Keras 3.
    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def network(pixels: Any) -> Any:
        return tf.identity(model(tf.cast(pixels, tf.float32), training=False), name=OUTPUT)

    proto, _ = tf2onnx.convert.from_function(network, signature, opset=OPSET)
    graph = proto.graph
    graph.name, graph.doc_string = model.name, "RGB pixels 0..255 in, class probabilities out"
    _rename(graph, graph.input[0].name, INPUT)
    _rename(graph, graph.output[0].name, OUTPUT)
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_param = "N"
    return proto


def _rename(graph: Any, before: str, after: str) -> None:
    """Give a graph's input or output a name of our own: exporters invent one a version."""
    for value in (*graph.input, *graph.output):
        if value.name == before:
            value.name = after
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [after if name == before else name for name in names]


def _half(proto: Any) -> Any:
    from onnxruntime.transformers.float16 import convert_float_to_float16

    return convert_float_to_float16(proto, keep_io_types=True)


def _dynamic(proto: Any) -> Any:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _files(proto) as (before, after):
        # onnxruntime computes dynamic convolutions with unsigned weights only.
        quantize_dynamic(before, after, weight_type=QuantType.QUInt8)
        return _load(after)


def _static(proto: Any, calibration: Images) -> Any:
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter([{INPUT: calibration[at : at + _BATCH]} for at in range(0, len(calibration), _BATCH)])

        def get_next(self) -> dict[str, Images] | None:
            return next(self._batches, None)

    with _files(proto) as (before, after):
        quant_pre_process(before, before, skip_symbolic_shape=True)
        quantize_static(
            before,
            after,
            Reader(),
            quant_format=QuantFormat.QDQ,
            # Weights a channel and unsigned activations are what onnxruntime is fastest with. On x86 CPUs without
            # VNNI it adds pairs of products in 16 bits, which overflow; 7-bit weights cannot.
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            # A quantized softmax would round the probabilities to 1/256 for nothing.
            nodes_to_exclude=[node.name for node in _load(before).graph.node if node.op_type == "Softmax"],
        )
        return _load(after)


@contextlib.contextmanager
def _files(proto: Any) -> Iterator[tuple[Path, Path]]:
    """Paths of the model and of its successor: onnxruntime's tools work from file to file."""
    with TemporaryDirectory() as folder:
        before, after = Path(folder, "before.onnx"), Path(folder, "after.onnx")
        before.write_bytes(proto.SerializeToString())
        yield before, after


def _load(path: Path) -> Any:
    import onnx

    return onnx.load(path)


@contextlib.contextmanager
def _python_logging_off() -> Iterator[None]:
    """Keep the converters' advice, given to every caller, off a user's terminal."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
