"""What an export costs, against the bare calls of the converters: ``python benchmarks/export.py [--rounds 3]``.

The bare calls are those of the tools' own documentation: a ``tf.lite.TFLiteConverter`` for each precision of TFLite;
tf2onnx once, and of its file onnxruntime's ``convert_float_to_float16``, ``quantize_dynamic`` and ``quantize_static``.
Ours is the whole export: the same nine files, proved and written with their contracts. Both calibrate with the same 500
images. Each round runs both in fresh processes, one after the other; the clock starts when the Keras model is loaded.

Ours counts the Keras model's own answers, and not the interpreters': those run in processes of their own, and
``evaluation`` is their time. Processor seconds are those of all threads, and depend less on what else the machine does
than the clock. Memory is the peak of the process. Ends with status 1 above 1.25 times the bare calls.

``--evaluation`` times each file's evaluation on CIFAR-10's 10,000 test images instead, in every interpreter.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from edgecnn.data import cifar10, samples
from edgecnn.training import keras_backend
from edgecnn_export import keras_file, proof, scoring
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import FORMATS, PRECISIONS, export_model
from edgecnn_runtime import memory
from edgecnn_runtime.quiet import quiet

MODELS = Path(__file__).parents[1] / "models"
BOUND = 1.25


def bare_tflite(model: Any, calibration: Dataset) -> Iterator[bytes]:
    """As https://ai.google.dev/edge/litert/models/post_training_quantization has it."""
    import tensorflow as tf

    sets = {
        "int8": tf.lite.OpsSet.TFLITE_BUILTINS_INT8,
        "int16x8": tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8,
    }
    for precision in PRECISIONS:
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if precision != "fp32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if precision == "fp16":
            converter.target_spec.supported_types = [tf.float16]
        if precision in sets:
            converter.representative_dataset = lambda: ([image[None].astype("f")] for image in calibration.images)
            converter.target_spec.supported_ops = [sets[precision]]
        if precision == "int8":
            converter.inference_input_type = converter.inference_output_type = tf.uint8
        yield converter.convert()


def bare_onnx(model: Any, calibration: Dataset) -> Iterator[bytes]:
    """As the readme of tf2onnx and https://onnxruntime.ai/docs/performance/model-optimizations have it."""
    import onnx
    import tensorflow as tf
    import tf2onnx
    from onnxruntime.quantization import CalibrationDataReader, quantize_dynamic, quantize_static
    from onnxruntime.transformers.float16 import convert_float_to_float16

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._batches = iter(np.split(calibration.images.astype("f"), 10))

        def get_next(self) -> dict[str, Any] | None:
            batch = next(self._batches, None)
            return None if batch is None else {"pixels": batch}

    with tempfile.TemporaryDirectory() as folder:
        plain, made = Path(folder, "plain.onnx"), Path(folder, "made.onnx")
        signature = [tf.TensorSpec((None, *model.input_shape[1:]), tf.float32, name="pixels")]
        # from_keras, the readme's first choice, does not understand Keras 3.
        network = tf.function(lambda pixels: model(pixels, training=False), input_signature=signature)
        tf2onnx.convert.from_function(network, signature, opset=17, output_path=plain)
        yield plain.read_bytes()
        onnx.save(convert_float_to_float16(onnx.load(plain)), made)
        yield made.read_bytes()
        quantize_dynamic(plain, made)
        yield made.read_bytes()
        quantize_static(plain, made, Reader(), per_channel=True)
        yield made.read_bytes()


def cost(which: str, name: str) -> dict[str, float]:
    """Seconds, processor seconds, seconds of the evaluation, and peak gigabytes of one side, in this process."""
    keras_backend.choose_tensorflow("this benchmark")
    model, about = keras_file.load(MODELS / f"{name}.keras")
    calibration, evaluation = samples.calibration(), samples.test()
    waited = 0.0
    everywhere = scoring.score_everywhere

    def evaluated(*words: Any) -> Any:
        nonlocal waited
        begun = time.perf_counter()
        try:
            return everywhere(*words)
        finally:
            waited += time.perf_counter() - begun

    watched = patch.object(proof, "score_everywhere", evaluated)
    with tempfile.TemporaryDirectory() as folder, quiet(), watched:
        begun, used = time.perf_counter(), time.process_time()
        if which == "bare":
            files = [*bare_tflite(model, calibration), *bare_onnx(model, calibration)]
        else:
            export_model(model, about, FORMATS, PRECISIONS, Path(folder), calibration, evaluation)
            files = [each.read_bytes() for each in Path(folder).glob(f"{name}-*") if each.suffix[1:] in FORMATS]
        used, seconds = time.process_time() - used, time.perf_counter() - begun - waited
    if len(files) != 9:
        raise SystemExit(f"{which} made {len(files)} files of 9")
    return {"s": seconds, "cpu": used, "evaluation": waited, "GB": memory.peak() / 1e9}


def measure(which: str, name: str) -> dict[str, float]:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--one", which, name]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    costs: dict[str, float] = json.loads(ended.stdout.splitlines()[-1])
    return costs


def compare(names: list[str], rounds: int) -> bool:
    """Print a table of medians; whether every ratio is within the bound."""
    within = True
    print("| Network | | Seconds | Processor seconds | Peak memory, GB | Evaluation, seconds |")
    print("|---|---|---:|---:|---:|---:|")
    for name in names:
        pairs = [(measure("bare", name), measure("ours", name)) for _ in range(rounds)]
        for which, costs in zip(("bare calls", "edgecnn"), zip(*pairs, strict=True), strict=True):
            s, cpu, evaluation, peak = (statistics.median(each[key] for each in costs) for key in costs[0])
            print(f"| `{name}` | {which} | {s:.1f} | {cpu:.1f} | {peak:.2f} | {evaluation:.0f} |")
        ratios = {key: [ours[key] / bare[key] for bare, ours in pairs] for key in ("s", "cpu", "GB")}
        told = (f"{statistics.median(r):.2f} ({min(r):.2f} to {max(r):.2f})" for r in ratios.values())
        print(f"| | ratio, median (range) | {' | '.join(told)} | |", flush=True)
        within &= statistics.median(ratios["cpu"]) <= BOUND
    return within


def children() -> float:
    """Processor seconds of the processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def evaluate(names: list[str], precisions: list[str]) -> None:
    """Print how long every file's evaluation on 10,000 images takes, in all interpreters, one after the other."""
    keras_backend.choose_tensorflow("this benchmark")
    images = cifar10.load().test.images
    print("| File | Seconds for 10,000 images | Processor seconds |")
    print("|---|---:|---:|")
    for name in names:
        model, about = keras_file.load(MODELS / f"{name}.keras")
        with tempfile.TemporaryDirectory() as folder:
            export_model(model, about, FORMATS, precisions, Path(folder), samples.calibration(), samples.test())
            for file in sorted(each for form in FORMATS for each in Path(folder).glob(f"*.{form}")):
                begun, used = time.perf_counter(), children()
                scoring.score_everywhere(file, file.suffix[1:], images)
                seconds, used = time.perf_counter() - begun, children() - used
                print(f"| {file.name} | {seconds:.1f} | {used:.1f} |", flush=True)


def main() -> int:
    """Measure and print; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=["baseline", "deeper"])
    parser.add_argument("--evaluation", action="store_true", help="time the evaluation instead")
    parser.add_argument("--precisions", nargs="+", default=PRECISIONS, help="of the files to evaluate")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(cost(*options.one)))
        return 0
    if options.evaluation:
        evaluate(options.networks, options.precisions)
        return 0
    return int(not compare(options.networks, options.rounds))


if __name__ == "__main__":
    sys.exit(main())
