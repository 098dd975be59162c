"""Make the tiny models under data/ that the runtime's tests run, so that those tests need no TensorFlow.

Each takes 4 x 4 RGB pixels and answers with a softmax over the means of the three channels: a red picture is
"red". Run from the root of the checkout: python tests/runtime/make_tiny_models.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import tensorflow as tf
from onnx import TensorProto, helper, numpy_helper

from edgecnn_runtime.container import embed
from edgecnn_runtime.contract import Contract, InputSpec

DATA = Path(__file__).parent / "data"
STEEPNESS = 1 / 32


def tiny(image: tf.Tensor) -> tf.Tensor:
    """Mean of each channel, then softmax."""
    return tf.nn.softmax(tf.reduce_mean(image, axis=(1, 2)) * STEEPNESS, name="probabilities")


def tflite_model(int8: bool) -> bytes:
    """The network as a TFLite model: fully quantized with uint8 input and output, or in floats."""
    network = tf.function(tiny, input_signature=[tf.TensorSpec((1, 4, 4, 3), tf.float32, name="image")])
    converter = tf.lite.TFLiteConverter.from_concrete_functions([network.get_concrete_function()], network)
    if int8:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = _calibration
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    return bytes(converter.convert())


def _calibration() -> Iterator[list[npt.NDArray[np.float32]]]:
    for colour in np.eye(3, dtype=np.float32):
        yield [np.broadcast_to(255 * colour, (1, 4, 4, 3)).copy()]


def onnx_model() -> bytes:
    """The network as an ONNX model with uint8 input and a free batch."""
    nodes = [
        helper.make_node("Cast", ["image"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("Mul", ["means", "steepness"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.UINT8, ["N", 4, 4, 3])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(np.float32(STEEPNESS), "steepness")],
    )
    # Old versions, so that every onnxruntime we support reads them.
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 13)])
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def main() -> None:
    """Write the three files."""
    DATA.mkdir(exist_ok=True)
    for name, model_format, precision, payload in (
        ("tiny-int8.tflite", "tflite", "int8", tflite_model(int8=True)),
        ("tiny-fp32.tflite", "tflite", "fp32", tflite_model(int8=False)),
        ("tiny-fp32.onnx", "onnx", "fp32", onnx_model()),
    ):
        contract = Contract("tiny", model_format, precision, ("red", "green", "blue"), InputSpec(4, 4))
        (DATA / name).write_bytes(embed(payload, contract))


if __name__ == "__main__":
    main()
