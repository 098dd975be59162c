"""The wheel as a user gets it: built, installed into a fresh environment with one extra, and run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = ROOT / "tests" / "runtime" / "data"


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a command that sees nothing of the checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module", params=[("litert", "tiny-int8.tflite"), ("onnx", "tiny-fp32.onnx")])
def installed(
    request: pytest.FixtureRequest, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path]]:
    """Programs of a fresh environment with the wheel and one extra in it, and a model that it runs."""
    extra, model = request.param
    folder = tmp_path_factory.mktemp(extra)
    assert run(sys.executable, "-m", "venv", folder, cwd=folder).returncode == 0
    programs = folder / "bin"
    answer = run(programs / "pip", "install", "--quiet", "--retries", "1", f"{wheel}[{extra}]", cwd=folder)
    if "No matching distribution" in answer.stderr or "Connection" in answer.stderr:
        pytest.skip(f"pip reaches no package index: {answer.stderr.strip().splitlines()[-1]}")
    assert answer.returncode == 0, answer.stderr
    yield programs, TINY / model


def test_the_wheel_classifies(installed: tuple[Path, Path], tmp_path: Path) -> None:
    programs, model = installed
    picture = tmp_path / "red.ppm"
    picture.write_bytes(b"P6 4 4 255\n" + bytes([255, 0, 0]) * 16)
    answer = run(programs / "edgecnn", "classify", picture, "--model", model, "--json", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout)["predictions"][0]["label"] == "red"


def test_the_wheel_verifies_the_model_it_carries(installed: tuple[Path, Path], tmp_path: Path) -> None:
    programs, _ = installed
    find = "from edgecnn.models import default_model; print(default_model())"
    carried = run(programs / "python", "-c", find, cwd=tmp_path).stdout.strip()
    answer = run(programs / "edgecnn", "verify", carried, cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "16 of 16 pictures give the answers seen at export" in answer.stdout
    assert run(programs / "edgecnn", "info", carried, cwd=tmp_path).returncode == 0


def test_the_device_gets_nothing_heavy(installed: tuple[Path, Path], tmp_path: Path) -> None:
    programs, _ = installed
    listed = run(programs / "pip", "list", "--format=freeze", cwd=tmp_path).stdout.lower()
    names = {line.partition("==")[0] for line in listed.splitlines()}
    assert not {"tensorflow", "keras", "onnx", "tf2onnx", "matplotlib", "jax"} & names
    where = run(programs / "python", "-c", "import edgecnn_runtime as r; print(r.__file__)", cwd=tmp_path)
    assert str(programs.parent) in where.stdout
