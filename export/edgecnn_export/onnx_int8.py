"""8-bit ONNX in the QuantizeLinear/DequantizeLinear form: calibrated once, quantized as a whole or in part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from edgecnn_export.dataset import Images, batch_size
from edgecnn_export.onnx_graph import INPUT, checked, converting
from edgecnn_export.operators import Operator, between, relative_error

_WEIGHTED = ("Conv", "ConvTranspose", "Gemm", "MatMul")
_LOOKED_AT = 50


class OnnxInt8:
    """A network to be quantized; see :class:`edgecnn_export.operators.Int8`."""

    def __init__(self, name: str, plain: Path, calibration: Images, method: str) -> None:
        """Take the float file, and the images that set the ranges, shape (N, height, width, 3).

        Args:
            name: of the model.
            plain: the float file, which must stay where it is.
            calibration: the images.
            method: how a range is found in the values seen: ``minmax``, ``entropy`` or ``percentile``.
        """
        self._name, self._plain, self._images, self._method = name, plain, calibration, method

    @cached_property
    def operators(self) -> list[Operator]:
        """The operators, under their own names."""
        import onnx

        graph = onnx.load(self._plain).graph
        constants = {each.name for each in graph.initializer}
        return [
            Operator(
                node.name,
                tuple(node.input),
                tuple(node.output),
                node.op_type in _WEIGHTED and not constants.isdisjoint(node.input),
            )
            for node in graph.node
        ]

    def convert(self, kept: frozenset[str] = frozenset()) -> bytes:
        """The file, with the named operators in float.

        Raises:
            ExportError: onnxruntime cannot quantize it.
        """
        with self._quantized(kept) as path:
            return checked(path)

    def errors(self) -> dict[str, float]:
        """As :meth:`edgecnn_export.operators.Int8.errors`, by onnxruntime's tools for debugging quantization.

        An operator's error is that of its weights and that of its output's rounding, added as independent ones are.
        """
        from onnxruntime.quantization import qdq_loss_debug as debug

        with self._quantized(frozenset()) as quantized:
            values = []
            for path in (self._plain, quantized):
                watched = quantized.with_name(f"watched-{path.name}")
                debug.modify_model_output_intermediate_tensors(path, watched)
                values.append(debug.collect_activations(watched, self._reader(self._images[:_LOOKED_AT])))
            outputs = debug.create_activation_matching(values[1], values[0])
            weights = debug.create_weight_matching(str(self._plain), str(quantized))
        shapes, found = self._shapes(), {}
        for each in self.operators:
            parts = [_rounding(outputs[name], shapes[name]) for name in each.outputs if name in outputs]
            if each.weighted:
                parts += [_weights(*weights[name].values()) for name in each.inputs if name in weights]
            if parts:
                found[each.name] = float(np.sqrt(np.square(parts).sum()))
        return found

    @cached_property
    def _ranges(self) -> Any:
        """Of every value between two operators, as onnxruntime found them in the images."""
        from onnxruntime.quantization import CalibrationMethod, create_calibrator

        methods = {
            "minmax": CalibrationMethod.MinMax,
            "entropy": CalibrationMethod.Entropy,
            "percentile": CalibrationMethod.Percentile,
        }
        with TemporaryDirectory() as folder:
            watched = Path(folder, "watched.onnx").as_posix()
            calibrator = create_calibrator(self._plain, _quantizable(), watched, methods[self._method])
            calibrator.collect_data(self._reader(self._images))
            return calibrator.compute_data()

    @contextmanager
    def _quantized(self, kept: frozenset[str]) -> Iterator[Path]:
        """The quantized file, for as long as it is needed."""
        from onnxruntime.quantization import QuantType
        from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
        from onnxruntime.quantization.quant_utils import load_model_with_shape_infer

        with converting(self._name, "int8"), TemporaryDirectory() as folder:
            # A quantized softmax would round the probabilities to 1/256 for nothing.
            excluded = [*self._softmaxes(), *between(self.operators, kept)]
            ranges = self._ranges
            # This is what quantize_static does, which would calibrate anew each time.
            quantizer = QDQQuantizer(
                load_model_with_shape_infer(self._plain),
                # Weights a channel and unsigned activations are what onnxruntime is fastest with. On x86 CPUs
                # without VNNI it adds pairs of products in 16 bits, which overflow; 7-bit weights cannot.
                per_channel=True,
                reduce_range=True,
                weight_qType=QuantType.QInt8,
                activation_qType=QuantType.QUInt8,
                tensors_range=ranges,
                nodes_to_quantize=[],
                nodes_to_exclude=excluded,
                op_types_to_quantize=_quantizable(),
                extra_options={},
            )
            quantizer.quantize_model()
            path = Path(folder, "int8.onnx")
            quantizer.model.save_model_to_file(path, False)
            del quantizer
            yield path

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        """Of one image's tensors, by their names; those that ONNX cannot tell count as one channel."""
        import onnx

        graph = onnx.shape_inference.infer_shapes(onnx.load(self._plain)).graph
        told = {
            each.name: tuple(size.dim_value for size in each.type.tensor_type.shape.dim[1:])
            for each in (*graph.value_info, *graph.output)
        }
        return {name: shape if shape and all(shape) else (1,) for name, shape in told.items()}

    def _softmaxes(self) -> list[str]:
        import onnx

        return [node.name for node in onnx.load(self._plain).graph.node if node.op_type == "Softmax"]

    def _reader(self, images: Images) -> Any:
        from onnxruntime.quantization import CalibrationDataReader

        # Its histograms (entropy, percentile) need batches of one size.
        size = max(each for each in range(1, batch_size(images) + 1) if len(images) % each == 0)
        parts = iter(np.split(images, len(images) // size))

        class Reader(CalibrationDataReader):  # type: ignore[misc]
            def get_next(self) -> dict[str, Images] | None:
                batch = next(parts, None)
                return None if batch is None else {INPUT: batch}

        return Reader()


def _quantizable() -> list[str]:
    """The kinds of operators that onnxruntime can quantize."""
    from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

    return sorted({*QDQRegistry, *QLinearOpsRegistry})


def _rounding(seen: dict[str, Any], shape: tuple[int, ...]) -> float:
    """Of a tensor before and after it is rounded: two lists of flat arrays of images, each of ``shape``."""
    before, after = (
        np.concatenate([_by_channel(each.reshape(-1, *shape), 1) for each in seen[key]])
        for key in ("pre_qdq", "post_qdq")
    )
    # A ReLU before it is left out of the quantized graph, where the range begins at 0 anyway.
    return relative_error(np.maximum(before, 0) if after.min() >= 0 else before, after)


def _by_channel(values: Any, channels: int) -> Any:
    return np.moveaxis(values, channels, -1).reshape(-1, values.shape[channels]).astype(np.float64)


def _weights(expected: Any, got: Any) -> float:
    """Of weights, shape (outputs, ...) or (inputs, outputs)."""
    channels = -1 if expected.ndim == 2 else 0
    return relative_error(_by_channel(expected, channels), _by_channel(got, channels))
