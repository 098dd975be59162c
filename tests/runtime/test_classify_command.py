from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from edgecnn import models
from edgecnn.cli.main import run
from edgecnn_runtime import container, trailers

if TYPE_CHECKING:
    from tests.runtime.conftest import Script


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with pictures."""
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (8, 8), (255, 0, 0)).save("red.png")
    Image.new("RGB", (9, 5), (0, 40, 80)).save("dusk.png")
    Path("broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 no more")
    return tmp_path


@pytest.mark.usefixtures("pictures")
def test_a_table(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", "red.png", "dusk.png", "--model", str(model), "--top", "2"]) == 0
    out, err = capsys.readouterr()
    red, first, _, dusk, *rows = out.splitlines()
    assert (red, dusk, err) == ("red.png", "dusk.png", "")
    assert first.split()[0] == "red"
    assert [row.split()[0] for row in rows] == ["blue", "green"]
    assert {row.index("%") for row in (first, *rows)} == {14}


@pytest.mark.usefixtures("pictures")
def test_json_lines(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", "red.png", "dusk.png", "--model", str(model), "--json"]) == 0
    red, dusk = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(red) == ["file", "predictions"]
    assert (red["file"], dusk["file"]) == ("red.png", "dusk.png")
    assert [each["label"] for each in dusk["predictions"]] == ["blue", "green", "red"]
    assert [each["index"] for each in dusk["predictions"]] == [2, 1, 0]
    assert red["predictions"][0].keys() == {"label", "index", "score"}
    assert 0.9 < red["predictions"][0]["score"] <= 1


@pytest.mark.usefixtures("pictures")
def test_a_bad_picture_does_not_stop_the_others(int8: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["none.jpg", "red.png", "broken.jpg", ".", "dusk.png"]
    assert run(["classify", *names, "--model", str(int8), "--json"]) == 1
    out, err = capsys.readouterr()
    assert [json.loads(line)["file"] for line in out.splitlines()] == ["red.png", "dusk.png"]
    complaints = err.splitlines()
    assert [line.partition(":")[0] for line in complaints] == ["error"] * 3
    assert [line.split()[1] for line in complaints] == ["none.jpg:", "broken.jpg:", ".:"]


def test_nothing_steers_the_terminal(int8: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, size = container.parse(int8.read_bytes())
    labels = ("re\x1b[2Jd\n", "gr\u202een", "\udcffblå")
    # A label that is not text at all cannot be written by embed, but may stand in a file as an escape.
    text = replace(contract, labels=labels).to_json().encode("utf-8", "backslashreplace")
    listed = "".join(" ".join(label.split()) + "\n" for label in labels).encode("utf-8", "replace")
    evil = pictures / "evil.tflite"
    evil.write_bytes(int8.read_bytes()[:size] + trailers.tflite_trailer(size, text, listed))
    Path("a\x1b]0;b\n.png").write_bytes(Path("red.png").read_bytes())
    for extra in ([], ["--json"]):
        assert run(["classify", "a\x1b]0;b\n.png", "no\x1bne\n.png", "--model", str(evil), *extra]) == 1
        out, err = capsys.readouterr()
        assert all(line.isprintable() for line in (out + err).splitlines())
        assert len(err.splitlines()) == 1
        assert len(out.splitlines()) == (1 if extra else 4)
    assert run(["classify", "red.png", "--model", str(evil)]) == 0
    assert "re\\x1b[2Jd\\n" in capsys.readouterr().out


@pytest.mark.usefixtures("pictures")
def test_the_model_it_carries(int8: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "default_model", lambda backend: int8 if backend is None else None)
    assert run(["classify", "red.png"]) == 0
    assert "red.png" in capsys.readouterr().out


def test_the_carried_model_is_one_that_the_backend_runs() -> None:
    assert models.default_model("onnxruntime").name == "deeper-int8.onnx"
    assert models.default_model("litert").name == "deeper-int8.tflite"
    assert models.default_model().parent == Path(models.__file__).parent


def test_wrong_usage(int8: Path, pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    red = str(pictures / "red.png")
    for arguments in (
        [],
        [red, "--model", str(int8), "--top", "0"],
        [red, "--model", str(int8), "--backend", "tensorrt"],
        [red, "--model", str(int8), "--wide"],
    ):
        assert run(["classify", *arguments]) == 2
        out, err = capsys.readouterr()
        assert not out
        assert err.startswith("error: ")
        assert len(err.splitlines()) == 1


def test_help_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["classify", "--help"]) == 0
    assert "Example: edgecnn classify cam.jpg" in capsys.readouterr().out


def test_the_real_command(int8: Path, pictures: Path, python: Script) -> None:
    ended = python("-m", "edgecnn", "classify", "red.png", "--model", int8)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines()[0] == "red.png"
    damaged = pictures / "damaged.tflite"
    damaged.write_bytes(int8.read_bytes()[:-1])
    (pictures / "empty.onnx").touch()
    for image, model in (
        ("broken.jpg", int8),
        ("red.png", damaged),
        ("red.png", "empty.onnx"),
        ("red.png", "red.png"),
        ("red.png", "none.tflite"),
    ):
        ended = python("-m", "edgecnn", "classify", image, "--model", model)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith("error: ")
        assert len(ended.stderr.splitlines()) == 1
        assert "Traceback" not in ended.stderr
