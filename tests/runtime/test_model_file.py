"""What a model file says of itself: whole, foreign, cut and hostile ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn import models
from edgecnn.cli.main import run
from edgecnn_runtime import container, flatbuffer, onnx_reader, tflite_reader, trailers
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.description import Tensor
from edgecnn_runtime.errors import ModelFileError
from edgecnn_runtime.model_file import describe

if TYPE_CHECKING:
    from tests.runtime.conftest import Script

CARRIED = [models.carried(form) for form in ("tflite", "onnx")]
READERS = {".tflite": tflite_reader.read, ".onnx": onnx_reader.read}


def payload_of(path: Path) -> bytes:
    data = path.read_bytes()
    return data[: container.parse(data)[1]]


@pytest.fixture
def foreign(model: Path, tmp_path: Path) -> Path:
    """The tiny model as somebody else would have written it."""
    path = tmp_path / f"foreign{model.suffix}"
    path.write_bytes(payload_of(model))
    return path


def test_the_tiny_models(model: Path) -> None:
    described = describe(model)
    read = described.model
    assert described.contract == container.read(model)[0]
    assert described.size + described.contract_size == model.stat().st_size
    assert read.format == model.suffix[1:]
    assert read.operators["Softmax" if read.format == "onnx" else "SOFTMAX"] == 1
    assert 1 <= read.parameters <= 4
    assert read.parameter_bytes
    if model.name == "tiny-int8.tflite":
        assert read.inputs == (Tensor("image", "uint8", (1, 4, 4, 3), 1.0, 0),)
        assert (read.outputs[0].type, read.outputs[0].scale, read.outputs[0].zero_point) == ("uint8", 1 / 256, 0)
        assert read.producer == "MLIR Converted."
        assert read.metadata["min_runtime_version"] == "1.14.0"
    if read.format == "onnx":
        assert read.inputs == (Tensor("image", "uint8", ("N", 4, 4, 3)),)
        assert read.outputs == (Tensor("probabilities", "float32", ("N", 3)),)
        assert read.versions == {"ir": 8, "ai.onnx": 13}
        assert not read.metadata, "the contract is not the model's own metadata"


@pytest.mark.parametrize("file", CARRIED)
def test_the_contract_readably(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    contract, _ = container.read(file)
    assert run(["info", str(file)]) == 0
    out, err = capsys.readouterr()
    assert not err
    for words in (
        f"edge-s, int8 {file.suffix[1:]}",
        "10: airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck",
        "RGB pixels 0..255, 32 high, 32 wide",
        "the largest centred part of other pictures, bilinear",
        "recipe edge-cutout, seed 0",
        "data cifar10/train-500, images 500",
        f"reference_accuracy {contract.parity['reference_accuracy']}",
        "keras 3.15.1",
        contract.payload_sha256,
        "uint8",
        "32x32x3",
        "1 S",
        *(f"{each['backend']}: passed: accuracy {each['accuracy']:.2%}" for each in contract.parity["results"]),
    ):
        assert words in out, words
    assert max(map(len, out.splitlines())) < 260
    assert contract.golden
    assert contract.golden.images[:20] not in out


def test_nobody_reads_what_it_says() -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        command = [sys.executable, "-m", "edgecnn", "info", str(CARRIED[0])]
        ended = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    finally:
        os.close(theirs)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("file", CARRIED)
def test_json_holds_the_whole_contract_and_what_was_read(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(file), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert Contract.from_json(json.dumps(document["contract"])) == container.read(file)[0]
    assert document["model"]["inputs"][0]["type"] == "uint8"
    assert document["model"]["outputs"][0]["shape"][1] == 10
    assert 260_000 < document["model"]["parameters"] < 280_000
    assert document["size"] + document["contract_size"] == file.stat().st_size


def test_many_labels_are_shortened(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    many = tmp_path / model.name
    contract, payload = container.read(model)[0], payload_of(model)
    many.write_bytes(container.embed(payload, replace(contract, labels=tuple(f"class {i}" for i in range(1000)))))
    assert run(["info", str(many)]) == 0
    out = capsys.readouterr().out
    assert "1,000: class 0, class 1, " in out
    assert "class 9, ..., class 999\n" in out
    assert "class 500" not in out


def test_a_foreign_file_says_what_is_not_known(foreign: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(foreign)]) == 0
    out, err = capsys.readouterr()
    assert not err
    text = " ".join(out.split())
    assert "no contract" in text
    for unknown in ("its labels", "normalised", "how pictures are resized", "still the model that was trained"):
        assert unknown in text
    assert "4x4x3" in text
    assert run(["info", str(foreign), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["contract"], document["contract_size"]) == (None, 0)
    assert document["model"]["inputs"][0]["shape"][1:] == [4, 4, 3]


def test_no_interpreter_is_loaded(model: Path, python: Script) -> None:
    show = "import sys; print(*{name.partition('.')[0] for name in sys.modules})"
    words = [["info", str(model)], ["info", str(model), "--card"]]
    ended = python("-c", f"from edgecnn.cli.main import run; [run(each) for each in {words!r}]; {show}")
    assert not ended.stderr
    loaded = set(ended.stdout.splitlines()[-1].split())
    assert not {"ai_edge_litert", "tflite_runtime", "onnxruntime", "tensorflow", "onnx", "numpy"} & loaded


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("none.onnx", None, "no such file"),
        ("empty.tflite", b"", "is empty"),
        ("picture.png", b"\x89PNG\r\n\x1a\n", "neither a TFLite nor an ONNX model"),
        ("head.tflite", b"\x20\0\0\0TFL3", "is damaged"),
        ("text.onnx", b"hello", "neither a TFLite nor an ONNX model"),
        ("model.keras", b"PK\3\4", "looks like a Keras model; export it first: edgecnn export"),
        ("model.h5", b"\x89HDF\r\n\x1a\n", "looks like a Keras model; export it first: edgecnn export"),
    ],
)
def test_files_that_are_no_model(
    name: str, content: bytes | None, complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    assert run(["info", str(tmp_path / name)]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"error: {tmp_path / name}: ")
    assert complaint in err
    assert len(err.splitlines()) == 1


def test_a_damaged_file_of_ours_is_named_so(model: Path, tmp_path: Path) -> None:
    data = bytearray(model.read_bytes())
    data[len(payload_of(model)) // 2] ^= 1
    damaged = tmp_path / model.name
    damaged.write_bytes(data)
    with pytest.raises(ModelFileError, match=r"is damaged \(its checksum does not agree\); copy it again"):
        describe(damaged)


@pytest.mark.parametrize("file", CARRIED)
def test_a_foreign_file_without_its_end_is_damaged(file: Path, tmp_path: Path) -> None:
    payload = payload_of(file)
    cut = tmp_path / file.name
    for length in np.linspace(8, len(payload) - 1, 50).astype(int).tolist():
        cut.write_bytes(payload[:length])
        with pytest.raises(ModelFileError):
            describe(cut)


def attempt(suffix: str, data: bytes) -> bool:
    """Whether the bytes are read; anything but a ValueError ends the test."""
    try:
        READERS[suffix](data)
    except ValueError:
        return False
    return True


def test_every_cut_and_every_flipped_bit(model: Path) -> None:
    data = payload_of(model)
    assert attempt(model.suffix, data)
    assert not any(attempt(model.suffix, data[:length]) for length in range(0, len(data) // 2, 3))
    for position in range(0, len(data), 2):
        for mask in (0x01, 0x80, 0xFF):
            attempt(model.suffix, data[:position] + bytes([data[position] ^ mask]) + data[position + 1 :])


@pytest.mark.parametrize("file", CARRIED)
def test_random_cuts_and_flips_of_a_real_file(file: Path) -> None:
    data = payload_of(file)
    # The middle is weights, which the readers pass over.
    structure = np.concatenate([np.arange(20_000), np.arange(len(data) - 20_000, len(data))])
    rng = np.random.default_rng(11)
    outcomes = set()
    for _ in range(500):
        broken = bytearray(data)
        for position in rng.choice(structure, rng.integers(1, 9)):
            broken[position] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.integers(256)])
        cut = broken[: rng.integers(8, len(broken))] if rng.random() < 0.3 else broken
        outcomes.add(attempt(file.suffix, bytes(cut)))
    assert outcomes == {True, False}


def test_bytes_are_not_handed_out_again_and_again() -> None:
    """A thousand tensors may all have the same name of a megabyte."""
    file = flatbuffer.Bytes(bytes(10_000))
    for _ in range(8):
        file.take(0, 10_000)
    with pytest.raises(ValueError, match="its parts overlap"):
        file.take(0, 10_000)


def test_a_graph_in_a_graph_in_a_graph() -> None:
    """An ONNX file whose branches have branches, thousands deep."""
    graph = b""
    for _ in range(3000):
        attribute = trailers._field(6, graph)
        node = trailers._field(4, b"If") + trailers._field(5, attribute)
        graph = trailers._field(1, node)
    read = onnx_reader.read(trailers._field(7, graph))
    assert read.operators == {"If": 3000}


def hostile(model: Path, changes: dict[str, Any]) -> bytes:
    """A sealed file whose contract is anybody's JSON."""
    contract, payload = container.read(model)[0], payload_of(model)
    text = json.dumps(json.loads(contract.to_json()) | changes).encode()
    trailer = trailers.tflite_trailer if model.suffix == ".tflite" else trailers.onnx_trailer
    return payload + trailer(len(payload), text, b"red\ngreen\nblue\n")


@pytest.mark.parametrize(
    "changes",
    [
        {"parity": {"results": [1, None, {}, {"accuracy": "high", "latency": [1], "backend": "\x1b[2J"}]}},
        {"parity": {"results": {"a": 1}, "images": 10**400}},
        {"parity": {"results": [{"accuracy": 10**400, "passed": "yes"}]}},
        {"training": {"\x1b[2J": {"deep": [[[]]]}}},
        {"training": []},
        {"tools": "new"},
        {"tools": {"machine": 5, "x": "|\n# "}, "author": "\x1b[2J\n# ", "license": "`"},
        {"author": 5},
        {"calibration": {"images": "many"}, "rescue": {"kept": 5, "bytes": 10**400, "because": ["\x1b"]}},
        {
            "parity": {
                "reference_accuracy": "high",
                "results": [{"worst_classes": {"a": "b"}, "checks": [1, {}, {"name": 2}]}],
            }
        },
        {"parity": {"reference_accuracy": 10**400, "results": [{"worst_classes": 5, "checks": 5, "interval": [None]}]}},
        {"model": ["edge-s"]},
        {"model": "\x1b]0;title\x07"},
        {"output": None},
        {"precision": {}},
        {"golden": {"count": 1, "images": 5, "reference": [], "exported": {}}},
        {"golden": {"count": "many", "images": "", "reference": [], "exported": {}}},
        {"golden": {"count": 1, "images": "", "reference": [], "exported": []}},
        {"golden": {"count": 1, "images": "", "reference": [], "exported": {"\x1b[2J": []}}},
    ],
)
def test_any_contract_is_shown_or_refused(
    model: Path, changes: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / model.name
    file.write_bytes(hostile(model, changes))
    for words in (["info"], ["info", "--json"], ["info", "--card"], ["verify"]):
        assert run([*words, str(file)]) in (0, 1)
        out, err = capsys.readouterr()
        assert all(line.isprintable() for line in (out + err).splitlines())
