"""What each part loads, seen in fresh processes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.runtime.conftest import Script

HEAVY = {"typer", "click", "rich", "keras", "tensorflow", "onnx", "tf2onnx", "jax", "matplotlib", "edgecnn"}
PRINT_MODULES = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"


def test_errors_load_nothing(python: Script) -> None:
    ended = python("-c", "import edgecnn_runtime.errors;" + PRINT_MODULES)
    assert not ended.stderr
    assert not {"numpy", "PIL"} & set(ended.stdout.split())


def test_the_runtime_loads_one_interpreter_and_nothing_heavy(python: Script, model: Path) -> None:
    classify = f"import edgecnn_runtime; from PIL import Image; c = edgecnn_runtime.Classifier.open({str(model)!r});"
    ended = python("-c", classify + "c.classify(Image.new('RGB', (9, 9)));" + PRINT_MODULES)
    assert not ended.stderr
    loaded = set(ended.stdout.split())
    assert not HEAVY & loaded
    assert len({"ai_edge_litert", "tflite_runtime", "onnxruntime"} & loaded) == 1


def test_the_command_is_defined_without_numpy(python: Script) -> None:
    ended = python("-c", "import edgecnn.cli.classify;" + PRINT_MODULES)
    assert not ended.stderr
    assert not {"numpy", "PIL", "importlib_metadata"} & set(ended.stdout.split())
