"""What TensorFlow Lite for Microcontrollers (TFLM) asks of a program that runs a model: operators, and memory.

The sizes are those of TFLM's ``MicroInterpreter`` on a 64-bit machine with its reference kernels, where they were
measured (docs/microcontrollers.md). A pointer of 32 bits makes them smaller; kernels written for one chip (CMSIS-NN,
ESP-NN) want working memory of their own on top.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from edgecnn_runtime.errors import ExportError
from edgecnn_runtime.tflite_operators import OPERATORS

_METHODS = """
    Abs Add AddN ArgMax ArgMin AveragePool2D BatchMatMul BatchToSpaceNd BroadcastTo Cast Ceil Concatenation Conv2D Cos
    CumSum DepthToSpace DepthwiseConv2D Dequantize Div Elu Equal Exp ExpandDims Fill Floor FloorDiv FloorMod
    FullyConnected Gather GatherNd Greater GreaterEqual HardSwish L2Normalization L2Pool2D LeakyRelu Less LessEqual Log
    LogicalAnd LogicalNot LogicalOr Logistic LogSoftmax Maximum MaxPool2D Mean Minimum MirrorPad Mul Neg NotEqual Pack
    Pad PadV2 Prelu Quantize ReduceMax Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor Round Rsqrt SelectV2
    Shape Sin Slice Softmax SpaceToBatchNd SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze StridedSlice
    Sub Sum Svdf Tanh Transpose TransposeConv UnidirectionalSequenceLSTM Unpack ZerosLike
"""

# MAX_POOL_2D in the schema is AddMaxPool2D in MicroMutableOpResolver, PADV2 AddPadV2, CUMSUM AddCumSum.
_ADD = {name.lower(): f"Add{name}" for name in _METHODS.split()}

_ALIGNMENT = 16

# Bytes that stay taken while the interpreter lives; the constants are rounded up, so that the sum is never too small.
_INTERPRETER = 900
_TENSOR = 24
_OPERATOR = 168
_CHANNEL = 8

# Bytes for each tensor while the memory is planned, before the activations lie in the same place.
_PLANNING = 96


@dataclass(frozen=True)
class Quantization:
    """A real value is ``scale * (value - zero_point)``."""

    scale: float
    zero_point: int


@dataclass(frozen=True)
class Needs:
    """What a program needs to know of a model.

    Attributes:
        operators: methods of ``MicroMutableOpResolver`` that register what the model is made of, each once.
        arena: bytes of the tensor arena, an estimate.
        input: quantization of the input.
        output: quantization of the output.
    """

    operators: tuple[str, ...]
    arena: int
    input: Quantization
    output: Quantization


def needs(model: bytes) -> Needs:
    """Read a TFLite model of one graph, one input and one output.

    Raises:
        ExportError: TFLM does not have one of its operators, or its input or output are not 8-bit integers.
    """
    from tensorflow.lite.python import schema_py_generated as schema

    whole = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    graph = whole.subgraphs[0]
    codes = [max(code.builtinCode, code.deprecatedBuiltinCode) for code in whole.operatorCodes]
    used = dict.fromkeys(OPERATORS[codes[operator.opcodeIndex]] for operator in graph.operators)
    missing = [name for name in used if name.replace("_", "").lower() not in _ADD]
    if missing:
        raise ExportError(
            f"TensorFlow Lite for Microcontrollers has no {', '.join(missing)}, of which this network is made; "
            "take a network without it"
        )
    return Needs(
        operators=tuple(_ADD[name.replace("_", "").lower()] for name in used),
        arena=_round_up(_persistent(graph) + max(_activations(graph, schema), _PLANNING * len(graph.tensors))),
        input=_quantization(graph.tensors[graph.inputs[0]], schema),
        output=_quantization(graph.tensors[graph.outputs[0]], schema),
    )


def _quantization(tensor: Any, schema: Any) -> Quantization:
    if tensor.type != schema.TensorType.UINT8 or len(_scales(tensor)) != 1:
        raise ExportError("C is made of models whose input and output are 8-bit integers; this one's are not")
    return Quantization(float(tensor.quantization.scale[0]), int(tensor.quantization.zeroPoint[0]))


def _scales(tensor: Any) -> Any:
    # A layer that was kept in float has none.
    return () if tensor.quantization is None or tensor.quantization.scale is None else tensor.quantization.scale


def _persistent(graph: Any) -> int:
    """Bytes for the interpreter's own records; a convolution keeps a multiplier and a shift for each channel."""
    per_channel = (
        len(_scales(graph.tensors[operator.inputs[1]])) for operator in graph.operators if len(operator.inputs) == 3
    )
    return _INTERPRETER + _TENSOR * len(graph.tensors) + _OPERATOR * len(graph.operators) + _CHANNEL * sum(per_channel)


def _activations(graph: Any, schema: Any) -> int:
    """Bytes for what flows through the network, placed as TFLM's ``GreedyMemoryPlanner`` does.

    The largest tensor comes first, each into the lowest gap among those that live at the same time. This is at least
    the greatest sum of tensors that live at once, and more where they do not fit together.
    """
    first: dict[int, int] = dict.fromkeys(map(int, graph.inputs), 0)
    last: dict[int, int] = {}
    for step, operator in enumerate(graph.operators):
        for tensor in map(int, operator.outputs):
            first.setdefault(tensor, step)
            last[tensor] = step
        last |= {tensor: step for tensor in map(int, operator.inputs) if tensor in first}
    last |= {int(tensor): len(graph.operators) for tensor in graph.outputs}

    sizes = {tensor: _size(graph.tensors[tensor], schema) for tensor in first}
    placed: dict[int, int] = {}
    for tensor in sorted(first, key=lambda each: (-sizes[each], -each)):
        beside = [each for each in placed if first[each] <= last[tensor] and first[tensor] <= last[each]]
        start = 0
        for other in sorted(beside, key=placed.__getitem__):
            if placed[other] - start >= sizes[tensor]:
                break
            start = max(start, placed[other] + sizes[other])
        placed[tensor] = start
    return max(placed[tensor] + sizes[tensor] for tensor in placed)


def _size(tensor: Any, schema: Any) -> int:
    kinds = schema.TensorType
    wide = {kinds.INT16: 2, kinds.INT32: 4, kinds.FLOAT32: 4, kinds.INT64: 8}
    return _round_up(prod(map(int, tensor.shape)) * wide.get(tensor.type, 1))


def _round_up(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT
