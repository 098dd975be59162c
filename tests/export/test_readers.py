"""The small readers of the runtime against TensorFlow's and onnx's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecnn import models
from edgecnn_export import onnx as onnx_export
from edgecnn_export import tflite as tflite_export
from edgecnn_export.dataset import Dataset
from edgecnn_runtime import container, onnx_reader, tflite_reader
from edgecnn_runtime.description import Description, Tensor
from edgecnn_runtime.tflite_operators import OPERATORS

TINY = Path(__file__).parents[1] / "runtime" / "data"


def payloads(suffix: str) -> list[bytes]:
    files = [*TINY.glob(f"*.{suffix}"), models.carried(suffix)]
    return [data[: container.parse(data)[1]] for data in map(Path.read_bytes, files)]


def by_tensorflow(data: bytes) -> Description:
    """The same, by the classes that TensorFlow generates from its schema."""
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(data, 0))
    types, operators = (
        {number: name for name, number in vars(each).items() if isinstance(number, int)}
        for each in (schema.TensorType, schema.BuiltinOperator)
    )

    def name(code: Any) -> str:
        number = max(code.deprecatedBuiltinCode, code.builtinCode)
        return str(code.customCode.decode() if operators[number] == "CUSTOM" else operators[number])

    def listed(values: Any) -> list[Any]:
        return [] if values is None else list(values)

    def tensor(index: int) -> Tensor:
        each = model.subgraphs[0].tensors[index]
        shape = listed(each.shape if each.shapeSignature is None else each.shapeSignature)
        scales = listed(each.quantization and each.quantization.scale)
        one = len(scales) == 1
        return Tensor(
            each.name.decode(),
            types[each.type].lower(),
            tuple(map(int, shape)),
            float(scales[0]) if one else None,
            int(each.quantization.zeroPoint[0]) if one else None,
        )

    constants = {
        each.buffer: (prod(map(int, listed(each.shape))), len(model.buffers[each.buffer].data))
        for graph in model.subgraphs
        for each in graph.tensors
        if model.buffers[each.buffer].data is not None and len(model.buffers[each.buffer].data)
    }
    counted = Counter(
        name(model.operatorCodes[each.opcodeIndex]) for graph in model.subgraphs for each in listed(graph.operators)
    )
    return Description(
        "tflite",
        (model.description or b"").decode(),
        tuple(map(tensor, model.subgraphs[0].inputs)),
        tuple(map(tensor, model.subgraphs[0].outputs)),
        dict(counted),
        sum(count for count, _ in constants.values()),
        sum(size for _, size in constants.values()),
        {"schema": model.version},
        {each.name.decode(): "" for each in listed(model.metadata)},
    )


def by_onnx(data: bytes) -> Description:
    """The same, by onnx."""
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load_from_string(data)

    def graphs(graph: Any) -> Iterator[Any]:
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                for each in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                    yield from graphs(each)

    def kind(number: int) -> str:
        name = TensorProto.DataType.Name(number).lower()
        return str({"float": "float32", "double": "float64"}.get(name, name))

    def tensor(value: Any) -> Tensor:
        if not value.type.HasField("tensor_type"):
            return Tensor(value.name, "not a tensor", None)
        shape = None
        if value.type.tensor_type.HasField("shape"):
            shape = tuple(
                side.dim_param or (side.dim_value if side.HasField("dim_value") else -1)
                for side in value.type.tensor_type.shape.dim
            )
        return Tensor(value.name, kind(value.type.tensor_type.elem_type), shape)

    every = list(graphs(model.graph))
    constants = [
        tensor
        for graph in every
        for tensor in (
            *graph.initializer,
            *(each.t for node in graph.node for each in node.attribute if each.HasField("t")),
        )
    ]
    counted = Counter(
        f"{node.domain}.{node.op_type}" if node.domain else node.op_type for graph in every for node in graph.node
    )
    named = {each.name for each in model.graph.initializer}
    return Description(
        "onnx",
        f"{model.producer_name} {model.producer_version}".strip(),
        tuple(tensor(each) for each in model.graph.input if each.name not in named),
        tuple(map(tensor, model.graph.output)),
        dict(counted),
        sum(prod(each.dims) for each in constants),
        sum(prod(each.dims) * helper.tensor_dtype_to_np_dtype(each.data_type).itemsize for each in constants),
        {"ir": model.ir_version} | {each.domain or "ai.onnx": each.version for each in model.opset_import},
        {each.key: each.value for each in model.metadata_props},
    )


def agree(ours: Description, theirs: Description) -> None:
    for name in ("format", "producer", "inputs", "outputs", "operators", "parameters", "parameter_bytes", "versions"):
        assert getattr(ours, name) == getattr(theirs, name), name
    assert ours.metadata.keys() == theirs.metadata.keys()
    assert list(ours.operators.values()) == sorted(ours.operators.values(), reverse=True)


@pytest.mark.parametrize("data", payloads("tflite"))
def test_tflite_files(data: bytes, baseline_path: Path) -> None:
    agree(tflite_reader.read(data), by_tensorflow(data))


@pytest.mark.parametrize("precision", ["fp32", "fp16", "dynamic"])
def test_converted_to_tflite(baseline: Any, calibration: Dataset, precision: str) -> None:
    data = tflite_export.convert(baseline, precision, calibration.images)
    ours = tflite_reader.read(data)
    agree(ours, by_tensorflow(data))
    assert 0 <= ours.parameters - baseline.count_params() < 50


def test_unusual_tflite(baseline_path: Path) -> None:
    """A custom operator, one beyond the 127th, a free side, two graphs, and weights quantized by channel."""
    import flatbuffers
    from tensorflow.lite.python import schema_py_generated as schema

    def tensor(name: str, shape: list[int], buffer: int = 0, signature: list[int] | None = None) -> Any:
        each = schema.TensorT()
        each.name, each.shape, each.buffer, each.shapeSignature = name, shape, buffer, signature
        return each

    def operator(code: int) -> Any:
        each = schema.OperatorT()
        each.opcodeIndex, each.inputs, each.outputs = code, [0, 1], [2]
        return each

    model = schema.ModelT()
    model.version, model.description = 3, "by hånd"
    model.operatorCodes = [schema.OperatorCodeT() for _ in range(3)]
    model.operatorCodes[0].deprecatedBuiltinCode = 127
    model.operatorCodes[0].builtinCode = schema.BuiltinOperator.GELU
    model.operatorCodes[1].deprecatedBuiltinCode = model.operatorCodes[1].builtinCode = schema.BuiltinOperator.CUSTOM
    model.operatorCodes[1].customCode = "Swirl"
    model.operatorCodes[2].deprecatedBuiltinCode = schema.BuiltinOperator.ADD  # as old files have it
    model.buffers = [schema.BufferT(), schema.BufferT()]
    model.buffers[1].data = np.arange(12, dtype=np.uint8)
    graphs = [schema.SubGraphT(), schema.SubGraphT()]
    graphs[0].tensors = [tensor("a", [1, 3], 0, [-1, 3]), tensor("w", [3, 4], 1), tensor("b", [1, 4])]
    graphs[0].tensors[1].type = schema.TensorType.INT8
    graphs[0].tensors[1].quantization = schema.QuantizationParametersT()
    graphs[0].tensors[1].quantization.scale = [0.5, 0.25]
    graphs[0].tensors[1].quantization.zeroPoint = [0, 0]
    graphs[0].inputs, graphs[0].outputs = [0, 1], [2]
    graphs[0].operators = [operator(1), operator(0), operator(1)]
    graphs[1].tensors, graphs[1].operators = [tensor("shared", [3, 4], 1)], [operator(2)]
    graphs[1].inputs = graphs[1].outputs = [0]
    model.subgraphs = graphs
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    data = bytes(builder.Output())
    ours = tflite_reader.read(data)
    assert ours.producer == "by hånd"
    assert ours.operators == {"Swirl": 2, "GELU": 1, "ADD": 1}
    assert ours.inputs == (Tensor("a", "float32", (-1, 3)), Tensor("w", "int8", (3, 4)))
    assert (ours.parameters, ours.parameter_bytes) == (12, 12)
    agree(ours, by_tensorflow(data))


def test_our_table_of_tflite_operators(baseline_path: Path) -> None:
    from tensorflow.lite.python import schema_py_generated as schema

    theirs = {number: name for name, number in vars(schema.BuiltinOperator).items() if isinstance(number, int)}
    assert dict(enumerate(OPERATORS)) == theirs
    types = {number: name for name, number in vars(schema.TensorType).items() if isinstance(number, int)}
    assert {number: name.upper() for number, name in enumerate(tflite_reader._TYPES)} == types


@pytest.mark.parametrize("data", payloads("onnx"))
def test_onnx_files(data: bytes) -> None:
    ours = onnx_reader.read(data)
    agree(ours, by_onnx(data))
    assert ours.metadata == by_onnx(data).metadata


@pytest.mark.parametrize("precision", ["fp32", "fp16", "dynamic"])
def test_converted_to_onnx(baseline: Any, calibration: Dataset, precision: str) -> None:
    data = onnx_export.convert(baseline, precision, calibration.images)
    agree(onnx_reader.read(data), by_onnx(data))


def test_unusual_onnx() -> None:
    """Branches, constants in nodes, weights among the inputs, an open shape, a sequence, an operator of a vendor."""
    from onnx import TensorProto, helper, numpy_helper

    def branch(value: float) -> Any:
        constant = helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.full((2, 3), value)))
        inner = helper.make_node("Identity", ["c"], ["d"])
        return helper.make_graph([constant, inner], "branch", [], [helper.make_tensor_value_info("d", 11, [2, 3])])

    nodes = [
        helper.make_node("If", ["choice"], ["x"], then_branch=branch(1), else_branch=branch(2)),
        helper.make_node("Swirl", ["x", "w"], ["y"], domain="vendor"),
        helper.make_node("SequenceConstruct", ["y"], ["s"]),
    ]
    graph = helper.make_graph(
        nodes,
        "unusual",
        [
            helper.make_tensor_value_info("choice", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT16, [5]),
            helper.make_tensor_value_info("any", TensorProto.INT64, None),
            helper.make_tensor_value_info("free", TensorProto.BFLOAT16, [None, "N", 0, 7]),
        ],
        [
            helper.make_tensor_sequence_value_info("s", TensorProto.FLOAT, [1]),
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [-1]),
        ],
        [
            numpy_helper.from_array(np.zeros(5, np.float16), "w"),
            helper.make_tensor("typed", TensorProto.FLOAT, [2, 2], [1, 2, 3, 4]),
        ],
    )
    model = helper.make_model(graph, producer_name="nobody", producer_version="2")
    helper.set_model_props(model, {"licence": "none", "odd": "a\0b"})
    data = bytes(model.SerializeToString())
    ours = onnx_reader.read(data)
    agree(ours, by_onnx(data))
    assert ours.operators == {"Constant": 2, "Identity": 2, "If": 1, "vendor.Swirl": 1, "SequenceConstruct": 1}
    assert (ours.parameters, ours.parameter_bytes) == (5 + 4 + 2 * 6, 10 + 16 + 2 * 48)
    assert [each.name for each in ours.inputs] == ["choice", "any", "free"]
    assert ours.inputs[1:] == (Tensor("any", "int64", None), Tensor("free", "bfloat16", (-1, "N", 0, 7)))
    assert ours.outputs == (Tensor("s", "not a tensor", None), Tensor("y", "float32", (-1,)))
    assert ours.metadata == {"licence": "none", "odd": "3 bytes"}


def test_our_table_of_onnx_types() -> None:
    from onnx import TensorProto

    theirs = {number: name.lower() for name, number in TensorProto.DataType.items()}
    renamed = {"float": "float32", "double": "float64"}
    assert dict(enumerate(onnx_reader._TYPES)) == {n: renamed.get(name, name) for n, name in theirs.items()}
