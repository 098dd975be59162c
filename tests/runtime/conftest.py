"""The tiny models, and fresh processes: a process loads one TFLite library at most."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecnn_runtime.backends import installed

DATA = Path(__file__).parent / "data"

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def int8() -> Path:
    return _runnable(DATA / "tiny-int8.tflite")


@pytest.fixture(params=["tiny-int8.tflite", "tiny-fp32.tflite", "tiny-fp32.onnx"])
def model(request: pytest.FixtureRequest) -> Path:
    return _runnable(DATA / str(request.param))


def _runnable(file: Path) -> Path:
    if not installed(file.suffix[1:]):  # a device has one interpreter
        pytest.skip(f"no interpreter for {file.name} is installed")
    return file


@pytest.fixture
def python() -> Script:
    """Run ``python arguments...`` in a fresh process."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return run
