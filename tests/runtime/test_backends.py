from __future__ import annotations

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn_runtime import container
from edgecnn_runtime.backends import LIBRARIES, choose, default_format, loading, open_backend, tflite
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import BackendError, ModelFileError, UsageError

if TYPE_CHECKING:
    from tests.runtime.conftest import Script

SCORES = """
import json, sys
import numpy as np
from edgecnn_runtime import Classifier
images = np.random.default_rng(7).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)
path, backend, threads = sys.argv[1:]
classifier = Classifier.open(path, backend, int(threads))
print(json.dumps([classifier.backend.name, classifier.scores(images).tolist()]))
"""


def reference() -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """The tiny network's answers to the images of SCORES, by its definition."""
    images = np.random.default_rng(7).integers(0, 256, (40, 4, 4, 3), dtype=np.uint8)
    powers = np.exp(images.mean((1, 2)) / 32)
    return np.asarray(powers / powers.sum(1, keepdims=True))


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("litert", "tiny-int8.tflite"),
        ("litert", "tiny-fp32.tflite"),
        ("tflite-runtime", "tiny-int8.tflite"),
        ("tflite-runtime", "tiny-fp32.tflite"),
        ("onnxruntime", "tiny-fp32.onnx"),
    ],
)
def test_every_backend_answers_by_definition(name: str, file: str, int8: Path, python: Script) -> None:
    if importlib.util.find_spec(LIBRARIES[name].package) is None:
        pytest.skip(f"{name} is not installed")
    model = int8.with_name(file)
    # int8 logits come in steps of 255 / 32 / 256, and probabilities in steps of 1 / 256.
    tolerance = 0.02 if "int8" in model.name else 1e-5
    for threads in (1, 2):
        ended = python("-c", SCORES, model, name, threads)
        assert not ended.stderr, "an interpreter's log lines are not for the user"
        full_name, scores = json.loads(ended.stdout)
        assert full_name.split()[0] == name
        assert full_name.split()[1][0].isdigit()
        assert np.abs(np.array(scores) - reference()).max() < tolerance


def test_an_interpreter_has_as_many_threads_as_it_is_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package, onnx = LIBRARIES[choose(model.suffix[1:])].package, model.suffix == ".onnx"
    library = loading.import_library(package if onnx else f"{package}.interpreter", "")
    name = "InferenceSession" if onnx else "Interpreter"
    made, told = getattr(library, name), []

    def make(*words: Any, **options: Any) -> Any:
        told.append(words[1].intra_op_num_threads if onnx else options.get("num_threads"))
        return made(*words, **options)

    monkeypatch.setattr(library, name, make)
    contract, data = container.read(model)
    open_backend(data, contract, threads=3)
    assert told == [3]


def install(monkeypatch: pytest.MonkeyPatch, *installed: str, loaded: tuple[str, ...] = ()) -> None:
    """Pretend that exactly these packages are installed and loaded."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in installed else None)
    for package in ("ai_edge_litert", "tflite_runtime", "tensorflow"):
        monkeypatch.delitem(sys.modules, package, raising=False)
    for package in loaded:
        monkeypatch.setitem(sys.modules, package, ModuleType(package))


def test_litert_comes_before_tflite_runtime(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "tflite_runtime", "ai_edge_litert", "onnxruntime")
    assert choose("tflite") == "litert"
    assert choose("tflite", "tflite-runtime") == "tflite-runtime"
    assert choose("onnx") == "onnxruntime"
    install(monkeypatch, "tflite_runtime")
    assert choose("tflite") == "tflite-runtime"


def test_one_tflite_library_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    both = ("tflite_runtime", "ai_edge_litert")
    install(monkeypatch, *both, loaded=("tflite_runtime",))
    assert choose("tflite") == "tflite-runtime"
    with pytest.raises(BackendError, match=r"litert breaks beside tflite_runtime.*new process"):
        choose("tflite", "litert")
    install(monkeypatch, *both, loaded=("tensorflow",))
    assert choose("tflite") == "litert"
    with pytest.raises(BackendError, match="tflite-runtime breaks beside tensorflow"):
        choose("tflite", "tflite-runtime")


def test_what_is_missing_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    both = r'pip install "edgecnn\[litert\]" or pip install "edgecnn\[tflite\]"'
    for model_format, name, way in [
        ("tflite", None, both),
        ("tflite", "tflite-runtime", r'installed; pip install "edgecnn\[tflite\]"'),
        ("onnx", None, r'pip install "edgecnn\[onnx\]"'),
    ]:
        with pytest.raises(BackendError, match=f"{way}; edgecnn doctor tells which fit this machine$"):
            choose(model_format, name)


def test_a_backend_for_other_files_is_refused(int8: Path) -> None:
    contract, data = container.read(int8)
    for name in ("onnxruntime", "tensorrt", ""):
        with pytest.raises(UsageError, match="choose from litert, tflite-runtime"):
            open_backend(data, contract, name)
    with pytest.raises(UsageError, match="threads must be at least 1 and at most 1024, not 0"):
        open_backend(data, contract, threads=0)
    with pytest.raises(UsageError, match="threads must be at least 1 and at most 1024, not 1025"):
        open_backend(data, contract, threads=1025)


def test_the_default_format_is_one_that_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, "tflite_runtime", "onnxruntime")
    assert [default_format(), default_format("onnxruntime"), default_format("litert")] == [
        "tflite",
        "onnx",
        "tflite",
    ]
    install(monkeypatch, "onnxruntime")
    assert default_format() == "onnx"
    install(monkeypatch)
    assert default_format() == "tflite"


def test_a_library_that_does_not_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "built_for_numpy_1.py").write_text("raise AttributeError('_ARRAY_API not found\\nmore')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(BackendError, match=r'_ARRAY_API not found\); pip install "edgecnn\[tflite\]"$'):
        loading.import_library("built_for_numpy_1", "tflite")


def test_a_model_that_breaks_its_promise(model: Path) -> None:
    contract, data = container.read(model)
    for lie in (replace(contract, labels=("a", "b")), replace(contract, input=InputSpec(4, 5))):
        with pytest.raises(ModelFileError, match="not those of its contract"):
            open_backend(data, lie)


def test_a_sound_file_that_the_interpreter_refuses(model: Path) -> None:
    contract, data = container.read(model)
    broken = (
        data[:4] + b"\xff" * 4 + data[8:]
    )  # where TFLite's files say that they are; tflite-runtime crashes on others
    with pytest.raises(BackendError, match="cannot run the model") as caught:
        open_backend(broken, contract)
    assert "\n" not in str(caught.value)


def test_wrong_pixels_are_no_traceback(model: Path) -> None:
    contract, data = container.read(model)
    backend = open_backend(data, contract)
    with pytest.raises(BackendError, match="failed on an image"):
        backend.scores(np.zeros((1, 5, 4, 3), np.uint8))
    assert backend.scores(np.zeros((0, 4, 4, 3), np.uint8)).shape == (0, 3)


def test_quantized_values_are_made_real() -> None:
    values = np.array([-128, 0, 127], np.int8)
    expected = [0, 0.5, 0.99609375]
    assert tflite._real(values, {"quantization": (1 / 256, -128)}).tolist() == expected
    assert tflite._real(values.view(np.uint8) ^ 128, {"quantization": (1 / 256, 0)}).tolist() == expected
    floats = np.array([0.1, 0.9], np.float32)
    assert tflite._real(floats, {"quantization": (0.0, 0)}) is floats


def test_an_input_that_is_not_pixels_is_refused() -> None:
    for kind, quantization in [(np.uint8, (1.0, 0)), (np.float32, (0.0, 0))]:
        tflite._check_takes_pixels({"dtype": kind, "quantization": quantization})
    for kind, quantization in [(np.uint8, (0.99, 0)), (np.uint8, (1.0, 1)), (np.int8, (1.0, 0))]:
        with pytest.raises(ModelFileError, match=r"not pixels 0\.\.255"):
            tflite._check_takes_pixels({"dtype": kind, "quantization": quantization})
