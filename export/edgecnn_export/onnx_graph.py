"""Keras model to a float ONNX file, whatever its size.

tf2onnx copies constants many times over: with VGG16's 138 million weights in the graph it needs 18 GB. So the graph is
converted with the large weights as further inputs, which takes a second, and they go from Keras into a file beside it.
onnxruntime then reads both and does what a converter would do with constants: it transposes kernels, and folds batch
normalisation into the convolution before it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn_export import onnx_gaps
from edgecnn_export.conversion import conversion
from edgecnn_runtime.errors import ExportError
from edgecnn_runtime.trailers import fields

if TYPE_CHECKING:
    import keras

OPSET = 17
INPUT, OUTPUT = "pixels", "probabilities"

# Smaller weights stay constants, biases and normalisations among them: tf2onnx needs their values to move the
# transposes between its channel orders past them.
_LARGE = 10_000

_OPSET_IMPORT = 8  # its field of ModelProto
_MOST_BYTES = 2**31 - 2**20
_ERRORS_ONLY = 3


def write_float(model: keras.Model, path: Path) -> None:
    """Write ``model`` as an ONNX file; the folder of ``path`` gets temporary files too.

    The input ``pixels`` is uint8, shape (N, height, width, 3), the output ``probabilities`` float32, shape
    (N, classes).

    Raises:
        ExportError: the weights take more than 2 GB, which one ONNX file cannot hold.
        Exception: whatever tf2onnx or onnxruntime raise.
    """
    size = 4 * model.count_params()
    if size > _MOST_BYTES:
        raise ExportError(f"its weights take {size / 1e9:.1f} GB, and an ONNX file holds at most 2 GB")
    weights = [variable for variable in model.variables if np.prod(variable.shape) > _LARGE]
    _optimize(_graph(model, weights), weights, path)
    _declare_only_onnx(path)


def _graph(model: keras.Model, weights: list[Any]) -> Any:
    """The network as a graph whose inputs are the pixels and then ``weights``, in that order."""
    import onnx
    import tensorflow as tf
    import tf2onnx

    signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, name=INPUT)]
    signature += [tf.TensorSpec(each.shape, each.dtype, name=f"weight_{i}") for i, each in enumerate(weights)]
    position = {id(variable): index for index, variable in enumerate(weights)}
    constants = {id(each): each.numpy() for each in model.variables if id(each) not in position}

    # tf2onnx's own from_keras does not understand Keras 3.
    @tf.function(input_signature=signature, autograph=False)  # type: ignore[untyped-decorator]
    def network(pixels: Any, *inputs: Any) -> Any:
        def value(variable: Any) -> Any:
            known = constants.get(id(variable))
            return inputs[position[id(variable)]] if known is None else tf.constant(known)

        trainable, fixed = (
            [value(each) for each in group] for group in (model.trainable_variables, model.non_trainable_variables)
        )
        probabilities, _ = model.stateless_call(trainable, fixed, tf.cast(pixels, tf.float32), training=False)
        return tf.identity(probabilities, name=OUTPUT)

    with onnx_gaps.without_xla():
        proto, _ = tf2onnx.convert.from_function(network, signature, opset=OPSET, custom_op_handlers=onnx_gaps.HANDLERS)
    graph = proto.graph
    graph.name, graph.doc_string = model.name, "RGB pixels 0..255 in, class probabilities out"
    _rename(graph, graph.input[0].name, INPUT)
    _rename(graph, graph.output[0].name, OUTPUT)
    for outside in (graph.input[0], graph.output[0]):
        outside.type.tensor_type.shape.dim[0].dim_param = "N"
    # What a layer keeps outside of the graph, as Normalization its mean, has become an input as well.
    captures = network.get_concrete_function(*signature).graph.captures
    kept = {inside.name: tensor for tensor, inside in captures if tensor.dtype != tf.resource}
    names = [each.name for each in graph.input[len(signature) :]]
    graph.initializer.extend(onnx.numpy_helper.from_array(kept[name].numpy(), name) for name in names)
    del graph.input[len(signature) :]
    return proto


def _rename(graph: Any, before: str, after: str) -> None:
    """Give a graph's input or output a name of our own: exporters invent one a version."""
    for value in (*graph.input, *graph.output):
        if value.name == before:
            value.name = after
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [after if name == before else name for name in names]


def _optimize(proto: Any, weights: list[Any], path: Path) -> None:
    """Put the weights in, compute what is constant and fold normalisations, in the standard's own operators only."""
    import onnx
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(path)
    # It would lay out all weights once more for computations that do not take place.
    options.add_session_config_entry("session.disable_prepacking", "1")
    graph = proto.graph
    names = [each.name for each in graph.input[1:]]
    for declared, variable in zip(graph.input[1:], weights, strict=True):
        graph.initializer.add(
            name=declared.name,
            data_type=declared.type.tensor_type.elem_type,
            dims=variable.shape,
            data_location=onnx.TensorProto.EXTERNAL,
        ).external_data.add(key="location", value="in memory")
    del graph.input[1:]
    values = [onnxruntime.OrtValue.ortvalue_from_numpy(variable.numpy()) for variable in weights]
    options.add_external_initializers(names, values)
    onnxruntime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])


def _declare_only_onnx(path: Path) -> None:
    """Drop the operator sets that onnxruntime declares whether or not they are used.

    Field by field, for protobuf would need three copies of the weights to read and write them.
    """
    import onnx

    data = memoryview(path.read_bytes())
    with path.open("wb") as file:
        for number, start, value, end in fields(data, 0, len(data)):
            if number != _OPSET_IMPORT or not onnx.OperatorSetIdProto.FromString(bytes(data[value:end])).domain:
                file.write(data[start:end])


def checked(path: Path) -> bytes:
    """The bytes of an ONNX file, if it is a valid one.

    Raises:
        Exception: whatever ONNX's checker raises.
    """
    import onnx

    onnx.checker.check_model(path, full_check=True)
    return path.read_bytes()


@contextmanager
def converting(name: str, precision: str) -> Iterator[None]:
    """Around every call of the converters; see :func:`edgecnn_export.conversion.conversion`.

    They log advice for their callers besides, which must stay off the terminal too.
    """
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with conversion(f"{name} cannot be converted to {precision} ONNX"):
            yield
    finally:
        logging.disable(before)
