"""TFLite in integers: calibrated once, quantized by TensorFlow as a whole or in part, with values of 8 or 16 bits."""

from __future__ import annotations

import csv
import io
import warnings
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn_export.dataset import Images
from edgecnn_export.operators import Operator, between, relative_error
from edgecnn_export.tflite_converter import converter, converting, samples, traced
from edgecnn_runtime.errors import ExportError
from edgecnn_runtime.tflite_operators import OPERATORS

if TYPE_CHECKING:
    import keras

_WEIGHTED = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "TRANSPOSE_CONV")
_LOOKED_AT = 50


class TFLiteInt8:
    """A network whose ranges are known; see :class:`edgecnn_export.operators.Int8`."""

    def __init__(self, model: keras.Model, calibration: Images) -> None:
        """Calibrate on images, shape (N, height, width, 3).

        Raises:
            ExportError: TensorFlow cannot convert the model, or would crash on it.
        """
        import tensorflow as tf

        self._name, self._images = model.name, calibration
        module = traced(model, "float32")
        _require_no_loop(module, model.name)
        with converting(model.name, "int8"):
            made = converter(module)
            made.optimizations = [tf.lite.Optimize.DEFAULT]
            made.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            made.representative_dataset = lambda: samples(calibration)
            made._experimental_calibrate_only = True
            calibrated = bytearray(made.convert())
        _span_pixels(calibrated)
        self._calibrated = bytes(calibrated)

    @cached_property
    def operators(self) -> list[Operator]:
        """The operators, each named as its first output."""
        from tensorflow.lite.python import schema_py_generated as schema

        model = schema.Model.GetRootAsModel(self._calibrated, 0)
        graph = model.Subgraphs(0)

        def tensors(indices: Any) -> tuple[str, ...]:
            return tuple(graph.Tensors(index).Name().decode() for index in indices if index >= 0)

        found = []
        for index in range(graph.OperatorsLength()):
            operator = graph.Operators(index)
            code = model.OperatorCodes(operator.OpcodeIndex())
            kind = OPERATORS[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            outputs = tensors(operator.OutputsAsNumpy())
            found.append(Operator(outputs[0], tensors(operator.InputsAsNumpy()), outputs, kind in _WEIGHTED))
        return found

    def convert(self, kept: frozenset[str] = frozenset()) -> bytes:
        """The file, which takes and gives uint8, with the named operators in float.

        Raises:
            ExportError: TensorFlow cannot quantize it.
        """
        import tensorflow as tf
        from tensorflow.lite.python import convert

        model = self._quantize(kept, input_data_type=tf.uint8, output_data_type=tf.uint8)
        model = bytes(convert.deduplicate_readonly_buffers(model))
        _require_pixel_input(model)
        return model

    def in_16_bits(self) -> bytes:
        """The file with 8-bit weights and 16-bit values between the layers, which takes and gives float32.

        Raises:
            ExportError: TensorFlow cannot quantize it.
        """
        import tensorflow as tf
        from tensorflow.lite.python.convert import deduplicate_readonly_buffers
        from tensorflow.lite.python.optimize.calibrator import Calibrator

        with converting(self._name, "int16x8"):
            # The ranges are in the model already: there is nothing to feed.
            model = Calibrator(self._calibrated).calibrate_and_quantize(
                lambda: iter(()),
                input_type=tf.float32,
                output_type=tf.float32,
                allow_float=False,
                activations_type=tf.int16,
                bias_type=tf.int64,
                disable_per_channel_quantization_for_dense_layers=True,
            )
            return bytes(deduplicate_readonly_buffers(bytes(model)))

    def errors(self) -> dict[str, float]:
        """As :meth:`edgecnn_export.operators.Int8.errors`, by TensorFlow's QuantizationDebugger."""
        import tensorflow as tf

        with converting(self._name, "int8"), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # the debugger itself uses an interpreter that is to go
            options = tf.lite.experimental.QuantizationDebugOptions(
                layer_direct_compare_metrics={"error": _relative_error}
            )
            debugger = tf.lite.experimental.QuantizationDebugger(
                quant_debug_model_content=self._quantize(frozenset(), enable_numeric_verify=True),
                debug_dataset=lambda: samples(self._images[:_LOOKED_AT]),
                debug_options=options,
            )
            debugger.run()
        table = io.StringIO()
        debugger.layer_statistics_dump(table)
        table.seek(0)
        return {row["tensor_name"]: float(row["error"]) for row in csv.DictReader(table)}

    def _quantize(self, kept: frozenset[str], **more: Any) -> bytes:
        from tensorflow.lite.python import convert

        with converting(self._name, "int8"):
            return bytes(
                convert.mlir_quantize(
                    self._calibrated,
                    denylisted_nodes=sorted(between(self.operators, kept)),
                    disable_per_channel_for_dense_layers=True,
                    **more,
                )
            )


def _require_no_loop(module: Any, name: str) -> None:
    """Loops are written as further graphs, on which TensorFlow's calibrator ends the process."""
    operators = module.serve.get_concrete_function().graph.get_operations()
    if any(each.type.endswith("While") for each in operators):
        raise ExportError(
            f"{name} has a loop in it (a recurrent layer, LSTM for instance), which TensorFlow cannot calibrate; build "
            "the layer with unroll=True, or take --precision fp16"
        )


def _relative_error(expected: Any, quantized: Any, scale: float, zero_point: int) -> float:
    """Of one output, shape (1, ..., channels)."""
    expected = expected.reshape(-1, expected.shape[-1]).astype(np.float64)
    got = (quantized.reshape(expected.shape).astype(np.float64) - zero_point) * scale
    return relative_error(expected, got)


def _input_quantization(model: bytes | bytearray) -> Any:
    from tensorflow.lite.python import schema_py_generated as schema

    graph = schema.Model.GetRootAsModel(model, 0).Subgraphs(0)
    return graph.Tensors(graph.Inputs(0)).Quantization()


def _span_pixels(calibrated: bytearray) -> None:
    """Let the input's range be that of pixels; the calibration images of a dim camera do not reach 255."""
    quantization = _input_quantization(calibrated)
    quantization.MinAsNumpy()[:] = 0
    quantization.MaxAsNumpy()[:] = 255


def _require_pixel_input(model: bytes) -> None:
    """Pixels must go in as they are: scale 1 and zero point 0, which the range from 0 to 255 gives."""
    quantization = _input_quantization(model)
    scale, zero_point = quantization.Scale(0), quantization.ZeroPoint(0)
    if (scale, zero_point) != (1.0, 0):
        raise ExportError(f"TensorFlow quantized the pixels with scale {scale:g} and zero point {zero_point}")
