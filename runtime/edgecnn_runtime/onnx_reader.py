"""ONNX files, read without an interpreter: as much of a ModelProto as a description needs.

The layout is ONNX's ``onnx.proto``. Weights are passed over, not copied. Fields are checked against their message's
end by :func:`edgecnn_runtime.trailers.fields`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from math import prod
from typing import NamedTuple

from edgecnn_runtime.description import Description, Tensor, check_rank, text_or_size
from edgecnn_runtime.trailers import fields, read_varint

_TYPE_NAMES = (
    "undefined float32 uint8 int8 uint16 int16 int32 int64 string bool float16 float64 uint32 uint64 complex64 "
    "complex128 bfloat16 float8e4m3fn float8e4m3fnuz float8e5m2 float8e5m2fnuz uint4 int4 float4e2m1 float8e8m0 "
    "uint2 int2 float6e2m3 float6e3m2"
)
_TYPES = _TYPE_NAMES.split()
"""By TensorProto.DataType."""

_MESSAGE = 2  # the wire type of messages, texts and packed numbers


class _Message(NamedTuple):
    """A message in the file, by its place."""

    data: bytes
    start: int
    stop: int

    def all(self, *numbers: int) -> Iterator[_Message]:
        """The messages in these fields, in the order of the file."""
        for number, start, value, end in fields(self.data, self.start, self.stop):
            if number in numbers and self.data[start] & 7 == _MESSAGE:
                yield _Message(self.data, value, end)

    def last(self, number: int) -> bytes:
        """The bytes in a field; of several, the last one counts."""
        found = b""
        for each in self.all(number):
            found = self.data[each.start : each.stop]
        return found

    def text(self, number: int) -> str:
        """The text in a field."""
        return self.last(number).decode("utf-8", "replace")

    def integers(self, number: int) -> list[int]:
        """The numbers in a field, each for itself or packed."""
        found = []
        for field, _, position, end in fields(self.data, self.start, self.stop):
            while field == number and position < end:
                each, position = read_varint(self.data, position)  # noqa: PLW2901
                found.append(each - (1 << 64) if each >> 63 else each)
        return found

    def integer(self, number: int) -> int:
        """The number in a field; 0 if it is not there."""
        return (self.integers(number) or [0])[-1]


def read(data: bytes) -> Description:
    """Describe an ONNX model; see :func:`edgecnn_runtime.model_file.describe`.

    Raises:
        ValueError: it is damaged.
    """
    model = _Message(data, 0, len(data))
    graphs = list(model.all(7))
    if not graphs:
        raise ValueError("no graph")
    versions = {each.text(1) or "ai.onnx": each.integer(2) for each in model.all(8)}
    inputs: list[Tensor] = []
    outputs: list[Tensor] = []
    named: set[str] = set()
    for graph in graphs:  # two that stand one after the other are one, says protobuf
        named |= {each.text(8) for each in graph.all(5)}
        inputs += map(_tensor, graph.all(11))
        outputs += map(_tensor, graph.all(12))
    operators: Counter[str] = Counter()
    constants: list[_Message] = []
    while graphs:
        graph = graphs.pop()
        constants += graph.all(5)
        for node in graph.all(1):
            domain = node.text(7)
            operators[f"{domain}.{node.text(4)}" if domain else node.text(4)] += 1
            for attribute in node.all(5):
                constants += attribute.all(5)
                graphs += attribute.all(6, 11)  # the branches of an If, the body of a Loop
    sizes = list(map(_size, constants))
    return Description(
        format="onnx",
        producer=f"{model.text(2)} {model.text(3)}".strip(),
        inputs=tuple(each for each in inputs if each.name not in named),
        outputs=tuple(outputs),
        operators=dict(operators.most_common()),
        parameters=sum(count for count, _ in sizes),
        parameter_bytes=sum(size for _, size in sizes),
        versions={"ir": model.integer(1)} | versions,
        metadata={each.text(1): text_or_size(each.last(2)) for each in model.all(14)},
    )


def _size(tensor: _Message) -> tuple[int, int]:
    """How many numbers a tensor holds and their bytes, be they in this file or in another beside it."""
    count = prod(max(side, 0) for side in check_rank(tensor.integers(1)))
    digits = re.search(r"\d+", kind := _type(tensor.integer(2)))
    bits = int(digits[0]) if digits else 8 * (kind == "bool")
    return count, (count * bits + 7) // 8


def _tensor(value: _Message) -> Tensor:
    name, shape, kind = value.text(1), None, "not a tensor"
    for tensor in (each for kind_of in value.all(2) for each in kind_of.all(1)):
        kind = _type(tensor.integer(1))
        for sides in tensor.all(2):
            shape = tuple(check_rank([_side(each) for each in sides.all(1)]))
    return Tensor(name, kind, shape)


def _side(dimension: _Message) -> int | str:
    return dimension.text(2) or (dimension.integers(1) or [-1])[-1]


def _type(number: int) -> str:
    return _TYPES[number] if 0 <= number < len(_TYPES) else f"type {number}"
