"""TFLite files, read without an interpreter: as much of a FlatBuffer as a description needs.

The layout is TensorFlow Lite's ``schema.fbs`` (version 3); fields are named by their number in it.
"""

from __future__ import annotations

from collections import Counter
from math import isfinite, prod
from typing import Any

from edgecnn_runtime.description import Description, Tensor, check_rank, text_or_size
from edgecnn_runtime.flatbuffer import Bytes, Table
from edgecnn_runtime.tflite_operators import OPERATORS

_TYPE_NAMES = (
    "float32 float16 int32 uint8 int64 string bool int16 complex64 int8 float64 complex128 uint64 resource variant "
    "uint32 uint16 int4 bfloat16 int2 uint4"
)
_TYPES = _TYPE_NAMES.split()
"""By enum TensorType."""

_CUSTOM = OPERATORS.index("CUSTOM")


def read(data: bytes) -> Description:
    """Describe a TFLite model; see :func:`edgecnn_runtime.model_file.describe`.

    Raises:
        ValueError: it is damaged.
    """
    file = Bytes(data)
    model = Table(file, file.number("I", 0))
    codes, graphs, buffers = (model.tables(field) for field in (1, 2, 4))
    if not graphs:
        raise ValueError("no graph")
    names = [_operator(code) for code in codes]
    operators = Counter(_at(names, each.number(0, "I")) for graph in graphs for each in graph.tables(3))
    tensors = graphs[0].tables(0)
    constants: dict[int, tuple[int, int]] = {}  # several tensors may share a buffer
    for tensor in (each for graph in graphs for each in graph.tables(0)):
        index = tensor.number(2, "I")
        buffer = _at(buffers, index)
        if size := _size(file, buffer):
            constants[index] = prod(max(side, 0) for side in _shape(tensor, 0)), size
    return Description(
        format="tflite",
        producer=model.text(3),
        inputs=tuple(_tensor(_at(tensors, index)) for index in graphs[0].vector(1, "i")),
        outputs=tuple(_tensor(_at(tensors, index)) for index in graphs[0].vector(2, "i")),
        operators=dict(operators.most_common()),
        parameters=sum(count for count, _ in constants.values()),
        parameter_bytes=sum(size for _, size in constants.values()),
        versions={"schema": model.number(0, "I")},
        metadata={each.text(0): text_or_size(_at(buffers, each.number(1, "I")).bytes(0)) for each in model.tables(6)},
    )


def _size(file: Bytes, buffer: Table) -> int:
    # The buffers of files above 2 GB lie behind the FlatBuffer, and their tables say where.
    return buffer.length(0) or file.check(buffer.number(1, "Q"), buffer.number(2, "Q"))


def _at(items: list[Any], index: int) -> Any:
    if not 0 <= index < len(items):
        raise ValueError(f"number {index} of {len(items)}")
    return items[index]


def _operator(code: Table) -> str:
    # Operators had one byte at first; those since the 128th stand in another field.
    number = max(code.number(0, "b"), code.number(3, "i"))
    if number == _CUSTOM:
        return code.text(1) or "CUSTOM"
    return OPERATORS[number] if 0 <= number < len(OPERATORS) else f"operator {number}"


def _shape(tensor: Table, field: int) -> tuple[int, ...]:
    return check_rank(tensor.vector(field, "i"))


def _tensor(tensor: Table) -> Tensor:
    number = tensor.number(1, "b")
    quantization = tensor.table(4)
    scales = quantization.vector(2, "f") if quantization else ()
    zero_points = quantization.vector(3, "q") if quantization else ()
    one = len(scales) == 1 and isfinite(scales[0])
    return Tensor(
        name=tensor.text(3),
        type=_TYPES[number] if 0 <= number < len(_TYPES) else f"type {number}",
        shape=_shape(tensor, 7) or _shape(tensor, 0),  # the signature says which sides are free
        scale=scales[0] if one else None,
        zero_point=(zero_points[0] if zero_points else 0) if one else None,
    )
