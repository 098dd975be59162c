"""What a command loads before it has done anything: its time is mostly that, and, unlike time, it can be counted."""

from __future__ import annotations

import subprocess
import sys
from keyword import iskeyword
from pathlib import Path

import pytest

from edgecnn.cli.main import VERBS
from edgecnn_runtime.backends import installed

ROOT = Path(__file__).parents[1]
INTERPRETERS = {"ai_edge_litert", "tflite_runtime", "onnxruntime"}
SLOW = {"asyncio", "concurrent", "email", "http", "multiprocessing", "rich", "sqlite3", "zipfile", "importlib.metadata"}
OTHERS = {f"edgecnn.cli.{verb}{'_' * iskeyword(verb)}" for verb in VERBS if verb != "classify"}
BESIDE = {"numpy.typing", "edgecnn.zoo", "edgecnn.data", "edgecnn_export", "edgecnn_runtime.workers"}


def loaded(*arguments: str) -> set[str]:
    """Modules after a command, with their packages."""
    script = (
        "import sys\nfrom edgecnn.cli.main import run\nstatus = run(sys.argv[1:])\n"
        "print(*sys.modules, file=sys.stderr)\nsys.exit(status)"
    )
    command = [sys.executable, "-c", script, *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return set(ended.stderr.splitlines()[-1].split())


def test_help() -> None:
    modules = loaded("--help")
    assert modules >= OTHERS
    assert not modules & (SLOW | INTERPRETERS | BESIDE | {"numpy", "PIL"})


@pytest.mark.parametrize("backend", [*installed("tflite"), *installed("onnx")])
def test_classify(backend: str) -> None:
    model = "tiny-fp32.onnx" if backend == "onnxruntime" else "tiny-int8.tflite"
    modules = loaded(
        "classify", "docs/pictures/frog.png", "--model", f"tests/runtime/data/{model}", "--backend", backend
    )
    assert "edgecnn_runtime.classifier" in modules
    assert not modules & (SLOW | OTHERS | BESIDE)
    assert len(modules & INTERPRETERS) == 1
    # Pillow's modules are asked one after another whether a file is theirs, JPEG's first; none is loaded in vain.
    plugins = {name for name in modules if name.endswith("ImagePlugin")}
    assert plugins == {"PIL.JpegImagePlugin", "PIL.PngImagePlugin"}
