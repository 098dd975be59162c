"""What the files of a format share: one traced network and one calibration; each is as if it stood alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx as onnx_package
import pytest

from edgecnn_export import onnx, onnx_graph, scoring, tflite, tflite_converter, tflite_int8
from edgecnn_export.dataset import Dataset, Images
from edgecnn_export.export import FORMATS, PRECISIONS, export
from edgecnn_export.onnx_graph import INPUT, converting
from edgecnn_export.onnx_int8 import OnnxInt8
from edgecnn_runtime.errors import ExportError


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[Any]:
    """The arguments of every call of a function, which goes on doing what it does."""
    calls: list[Any] = []
    function = getattr(module, name)

    def noting(*words: Any) -> Any:
        calls.append(words)
        return function(*words)

    monkeypatch.setattr(module, name, noting)
    return calls


@pytest.fixture
def fed(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each calibration was given."""
    passes: list[int] = []
    samples, collect = tflite_converter.samples, OnnxInt8._reader

    def one_by_one(images: Images) -> Iterator[list[Any]]:
        passes.append(len(images))
        return samples(images)

    def reader(self: OnnxInt8, images: Images) -> Any:
        passes.append(len(images))
        return collect(self, images)

    monkeypatch.setattr(tflite_int8, "samples", one_by_one)
    monkeypatch.setattr(OnnxInt8, "_reader", reader)
    return passes


def test_a_whole_export_traces_and_calibrates_once(
    baseline_path: Path,
    calibration: Dataset,
    evaluation: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fed: list[int],
) -> None:
    traces = counted(monkeypatch, tflite_converter, "with_pixels_in")
    graphs = counted(monkeypatch, onnx_graph, "_graph")
    export(baseline_path, FORMATS, PRECISIONS, tmp_path, calibration, evaluation)
    assert len(list(tmp_path.glob("baseline-*.json"))) == 9
    # Pixels are uint8 in the files with float arithmetic, and float32 in what is calibrated for integers.
    assert [spec.dtype.name for _, spec in traces] == ["uint8", "float32"]
    assert len(graphs) == 1
    assert fed == [len(calibration)] * 2


@pytest.mark.parametrize("form", FORMATS)
def test_layers_kept_in_float_need_no_second_calibration(
    baseline: Any, calibration: Dataset, form: str, fed: list[int]
) -> None:
    def quantized(network: Any) -> None:
        network.convert("int8")
        for each in network.int8.operators[-2:]:
            network.int8.convert(frozenset({each.name}))

    if form == "tflite":
        quantized(tflite.TFLite(baseline, calibration.images))
    else:
        with onnx.opened(baseline, calibration.images) as network:
            quantized(network)
    assert fed == [len(calibration)]


def test_shared_tflite_files_are_those_of_separate_conversions(baseline: Any, calibration: Dataset) -> None:
    network = tflite.TFLite(baseline, calibration.images)
    for precision in PRECISIONS:
        assert network.convert(precision) == tflite.convert(baseline, precision, calibration.images)


def test_16_bits_from_the_shared_calibration_are_tensorflows_own(
    baseline: Any, calibration: Dataset, evaluation: Dataset
) -> None:
    import tensorflow as tf
    from ai_edge_litert.interpreter import Interpreter

    made = tflite_converter.converter(tflite_converter.traced(baseline, "float32"))
    made.optimizations = [tf.lite.Optimize.DEFAULT]
    made.representative_dataset = lambda: tflite_converter.samples(calibration.images)
    made.target_spec.supported_ops = [tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8]
    answers = []
    for content in (bytes(made.convert()), tflite.convert(baseline, "int16x8", calibration.images)):
        interpreter = Interpreter(model_content=content)
        interpreter.allocate_tensors()
        (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()
        for image in evaluation.images[:50]:
            interpreter.set_tensor(given["index"], image[None].astype(np.float32))
            interpreter.invoke()
            answers.append(interpreter.get_tensor(wanted["index"])[0])
    assert (np.array(answers[:50]) == np.array(answers[50:])).all()
    assert np.ptp(answers) > 0.9


@pytest.mark.parametrize("method", ["minmax", "entropy", "percentile"])
def test_8_bits_from_the_shared_calibration_are_quantize_statics_own(
    baseline: Any, calibration: Dataset, tmp_path: Path, method: str
) -> None:
    from onnxruntime import quantization

    plain, quantized = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    with onnx.opened(baseline, calibration.images, method) as network, converting("baseline", "int8"):
        ours = network.convert("int8")
        plain.write_bytes(network.convert("fp32"))
        batches = iter(np.split(calibration.images, 10))

        class Reader(quantization.CalibrationDataReader):  # type: ignore[misc]
            def get_next(self) -> dict[str, Images] | None:
                batch = next(batches, None)
                return None if batch is None else {INPUT: batch}

        softmax = next(each.name for each in onnx_package.load(plain).graph.node if each.op_type == "Softmax")
        quantization.quantize_static(
            plain,
            quantized,
            Reader(),
            calibrate_method=quantization.CalibrationMethod[{"minmax": "MinMax"}.get(method, method.capitalize())],
            per_channel=True,
            reduce_range=True,
            activation_type=quantization.QuantType.QUInt8,
            nodes_to_exclude=[softmax],
        )
    assert ours == quantized.read_bytes()


def test_interpreters_side_by_side_give_what_one_gives(
    baseline: Any, baseline_path: Path, evaluation: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each image's answer stands at its place, however the images were divided."""
    from edgecnn_export import keras_file
    from edgecnn_runtime import container
    from edgecnn_runtime.contract import Contract

    about = keras_file.read_about(baseline_path)
    path = tmp_path / "baseline-dynamic.onnx"
    contract = Contract("baseline", "onnx", "dynamic", about.labels, about.input)
    path.write_bytes(container.embed(onnx.convert(baseline, "dynamic", None), contract))
    monkeypatch.setattr(scoring, "cores", lambda: 3)
    three = scoring._side_by_side(str(path), "onnxruntime")
    monkeypatch.setattr(scoring, "_LARGE", path.stat().st_size - 1)
    (one,) = scoring._side_by_side(str(path), "onnxruntime")
    assert len(three) == 3
    for count in (1, 50):
        images = evaluation.images[:count]
        assert (scoring._scores(three, images) == one.scores(images)).all()


@pytest.mark.parametrize("unroll", [False, True])
def test_a_loop_is_refused_before_it_ends_the_process(calibration: Dataset, unroll: bool) -> None:
    import keras
    from keras import layers

    pixels = keras.Input((32, 32, 3), name="pixels")
    x = layers.AveragePooling2D(4)(layers.Rescaling(1 / 255)(pixels))
    x = layers.GRU(4, unroll=unroll)(layers.Reshape((8, 24))(x))
    model = keras.Model(pixels, layers.Dense(10, activation="softmax")(x), name="recurrent")
    network = tflite.TFLite(model, calibration.images)
    assert network.convert("fp16")
    if unroll:
        assert network.convert("int8")
    else:
        with pytest.raises(ExportError, match=r"recurrent has a loop in it .*; build the layer with unroll=True, or"):
            network.convert("int8")
