"""``edgecnn benchmark`` with the tiny models, in real interpreters."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.cli.main import run
from edgecnn_runtime import benchmark, container
from edgecnn_runtime.errors import BackendError
from tests.edgecnn.conftest import Environment

TINY = Path(__file__).parents[1] / "runtime" / "data"
ONCE = ["--rounds", "1", "--threads", "1"]

pytestmark = [
    pytest.mark.usefixtures("here"),
    pytest.mark.skipif(
        not find_spec("ai_edge_litert") or not find_spec("onnxruntime"), reason="LiteRT or onnxruntime is not installed"
    ),
]


@pytest.fixture
def colours(here: Path) -> Path:
    """Ten pictures each of red, green and blue to test on, the last of each in a wrong folder; shades differ."""
    for part, shade in (("train", 100), ("test", 150)):
        for index, label in enumerate(("red", "green", "blue")):
            (here / "photos" / part / label).mkdir(parents=True)
            for number in range(10):
                pixel = np.zeros(3, np.uint8)
                pixel[(index + (number == 9)) % 3] = shade + number
                Image.fromarray(np.full((6, 5, 3), pixel)).save(here / "photos" / part / label / f"{number:02}.png")
    return here / "photos"


def fake_litert(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A LiteRT that crashes, found before the real one by every new process."""
    (here / "site" / "ai_edge_litert").mkdir(parents=True)
    (here / "site" / "ai_edge_litert" / "__init__.py").write_text("import os\nos.abort()\n")
    monkeypatch.setenv("PYTHONPATH", f"{here / 'site'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


def document(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    out, err = capsys.readouterr()
    assert err == ""
    found: dict[str, Any] = json.loads(out)
    return found


def test_every_file_interpreter_and_number_of_threads(capsys: pytest.CaptureFixture[str]) -> None:
    files = [TINY / "tiny-int8.tflite", TINY / "tiny-fp32.onnx"]
    words = ["--threads", "1", "--threads", "2", "--threads", "1", "--rounds", "1", "--json"]
    assert run(["benchmark", *map(str, files), *words, "--backend", "onnxruntime", "--backend", "litert"]) == 0
    found = document(capsys)
    rows = found["rows"]
    assert [(row["file"], row["backend"].split()[0], row["threads"]) for row in rows] == [
        (str(files[0]), "litert", 1),
        (str(files[0]), "litert", 2),
        (str(files[1]), "onnxruntime", 1),
        (str(files[1]), "onnxruntime", 2),
    ]
    assert [(row["model"], row["format"], row["precision"]) for row in rows[1:3]] == [
        ("tiny", "tflite", "int8"),
        ("tiny", "onnx", "fp32"),
    ]
    for row in rows:
        assert row["size"] == container.parse(Path(row["file"]).read_bytes())[1]
        assert 20 < row["start_ms"] < 60_000
        assert 0 < row["median_ms"] <= row["p95_ms"]
        assert row["first_ms"] > 0
        assert 0.2 < row["images_per_second"] * row["median_ms"] / 1000 < 50
        assert 15e6 < row["peak_memory"] < 500e6
        assert (row["accuracy"], row["interval"]) == (None, None)
    assert found["rounds"] == 1
    assert found["machine"]["cores"] >= 1
    smallest = min(range(4), key=lambda index: rows[index]["median_ms"])
    assert found["best"][0] == smallest


@pytest.mark.usefixtures("colours")
def test_accuracy_a_table_and_the_best_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(TINY / name) for name in ("tiny-fp32.onnx", "tiny-fp32.tflite")]
    assert run(["benchmark", *files, *ONCE, "--backend", "litert", "--backend", "onnxruntime", "--data", "photos"]) == 0
    out, err = capsys.readouterr()
    assert err == "accuracy: 30 images of photos/test\n"
    first, header, *lines = out.splitlines()
    assert first.endswith("; 1 round")
    columns = "file interpreter threads size kB start ms first ms median ms 95 % ms images/s peak MB accuracy"
    assert " ".join(header.split()) == columns
    assert [line.split()[0] for line in lines[:2]] == files
    assert [line.split()[-1] for line in lines[:2]] == ["90.00%", "90.00%"]  # 27 of 30
    assert lines[2:4] == ["", "best trade-offs of accuracy and latency, the fastest first:"]
    (only,) = lines[4:]  # they are equally good, so the faster one
    assert only.endswith(" ms, 90.00%")
    assert ", 1 thread: " in only


@pytest.mark.usefixtures("colours")
def test_a_picture(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for extra, told in (([], ""), (["--data", "photos"], "accuracy: 30 images of photos/test\n")):
        assert run(["benchmark", str(TINY / "tiny-fp32.onnx"), *ONCE, *extra, "--plot", "out.png"]) == 0
        assert capsys.readouterr().err == f"{told}saved out.png\n"
        with Image.open(here / "out.png") as picture:
            assert picture.format == "PNG"
            assert min(picture.size) > 500
        (here / "out.png").unlink()


def test_what_is_wrong_with_the_picture_is_said_before_anything_is_measured(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmark, "_run", None)
    model = str(TINY / "tiny-fp32.onnx")
    for plot, message in (
        ("out.bmp", "error: out.bmp is no picture that can be drawn; choose a name in .png, .svg, .pdf"),
        ("none/out.png", "error: none is not a folder; choose another place for --plot"),
    ):
        assert run(["benchmark", model, "--plot", plot]) == 2
        assert capsys.readouterr() == ("", message + "\n")
    assert not list(here.iterdir())


def test_a_bad_file_does_not_stop_the_others(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "cut.onnx").write_bytes((TINY / "tiny-fp32.onnx").read_bytes()[:-1])
    files = ["none.tflite", "cut.onnx", str(TINY / "tiny-fp32.onnx")]
    assert run(["benchmark", *files, *ONCE, "--json"]) == 1
    out, err = capsys.readouterr()
    assert [line.split()[:2] for line in err.splitlines()] == [["error:", "none.tflite:"], ["error:", "cut.onnx:"]]
    assert [row["file"] for row in json.loads(out)["rows"]] == [files[2]]
    assert run(["benchmark", *files[:2]]) == 1
    assert capsys.readouterr().out == ""


def test_an_interpreter_that_crashes_is_a_line_and_the_others_go_on(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_litert(here, monkeypatch)
    files = [str(TINY / name) for name in ("tiny-int8.tflite", "tiny-fp32.onnx")]
    words = ["--rounds", "2", "--threads", "1", "--backend", "litert", "--backend", "onnxruntime", "--json"]
    assert run(["benchmark", *files, *words]) == 1
    out, err = capsys.readouterr()
    assert err == f"error: {files[0]} in litert, 1 thread: killed by SIGABRT (it gave up by itself)\n"
    assert [row["file"] for row in json.loads(out)["rows"]] == files[1:]


@pytest.mark.usefixtures("colours")
def test_an_interpreter_that_cannot_be_judged(
    here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_litert(here, monkeypatch)
    model = str(TINY / "tiny-int8.tflite")
    if not find_spec("tflite_runtime"):
        pytest.skip("tflite-runtime is not installed")
    assert run(["benchmark", model, *ONCE, "--data", "photos", "--json"]) == 1
    out, err = capsys.readouterr()
    told, error = err.splitlines()
    assert told == "accuracy: 30 images of photos/test"
    assert error == "error: litert failed on tiny-int8.tflite: killed by SIGABRT (it gave up by itself)"
    (row,) = json.loads(out)["rows"]
    assert (row["backend"].split()[0], row["accuracy"]) == ("tflite-runtime", 0.9)


def test_all_are_measured_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Round by round; what fails is not tried again, and the others keep their order."""
    everything = benchmark.cases(TINY / "tiny-fp32.onnx", ["onnxruntime"], [1, 2, 3])
    tried: list[int] = []

    def measured(case: benchmark.Case) -> benchmark.Round:
        tried.append(case.threads)
        if case.threads == 2:
            raise BackendError("crashed")
        times = [float(each) for each in range(1, 11)] if len(tried) == 1 else [20.0 * case.threads]
        return benchmark.Round("onnxruntime 1", 10.0 * len(tried), 1, times, 100, len(tried))

    monkeypatch.setattr(benchmark, "_run", measured)
    failed: list[str] = []
    shown: list[tuple[int, int]] = []
    costs = benchmark.measure(
        everything,
        3,
        lambda done, total: shown.append((done, total)),
        lambda case, problem: failed.append(f"{case.threads}: {problem}"),
    )
    assert tried == [1, 2, 3, 1, 3, 1, 3]
    assert failed == ["2: crashed"]
    assert [cost.case.threads for cost in costs] == [1, 3]
    assert [(cost.start_ms, cost.peak_memory) for cost in costs] == [(40, 6), (50, 7)]
    assert (costs[0].median_ms, costs[0].p95_ms) == (6.5, 20)  # 1 to 10, 20 and 20 together
    assert shown[0] == (0, 9)
    assert shown[-1] == (1, 1)


def test_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    model = str(TINY / "tiny-fp32.onnx")
    for words in (
        [],
        [model, "--threads", "0"],
        [model, "--rounds", "0"],
        [model, "--backend", "tensorrt"],
        [model, "--backend", "litert"],
    ):
        assert run(["benchmark", *words]) == 2
        out, err = capsys.readouterr()
        assert not out
        assert err.startswith("error: ")
        assert len(err.splitlines()) == 1


@pytest.mark.usefixtures("colours")
def test_data_that_do_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    for data, message in (
        ("cifar10", "error: the model was not trained on CIFAR-10; name its photographs with --data\n"),
        ("none", "error: none does not exist"),
    ):
        assert run(["benchmark", str(TINY / "tiny-fp32.onnx"), *ONCE, "--data", data]) == 1
        out, err = capsys.readouterr()
        assert not out
        assert err.startswith(message)


@pytest.mark.usefixtures("colours")
def test_it_needs_an_interpreter_and_nothing_heavy(environment: Environment, here: Path) -> None:
    python = environment("onnxruntime")
    words = ["-W", "error", "-m", "edgecnn", "benchmark", str(TINY / "tiny-fp32.onnx"), *ONCE]
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}

    def ended(*extra: str, **more: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [python, *words, *extra], env=variables | more, capture_output=True, text=True, timeout=60, check=False
        )
        return done.returncode, done.stdout, done.stderr

    status, out, err = ended("--data", "photos", "--json", EDGECNN_DATA=str(here / "data"))
    assert (status, err) == (0, "accuracy: 30 images of photos/test\n")
    assert json.loads(out)["rows"][0]["accuracy"] == 0.9
    status, out, err = ended("--data", "photos")
    assert (status, out) == (1, "")
    assert err == "error: no data folder: set EDGECNN_DATA, or run: pip install platformdirs\n"
    status, out, err = ended("--plot", "out.png")
    assert (status, out) == (1, "")
    assert err == "error: --plot needs matplotlib; install it with: pip install matplotlib\n"
