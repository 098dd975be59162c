"""A model file is data: a damaged one reaches no interpreter, and a hostile one reads, writes and starts nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from edgecnn_runtime import classifier, container, contract, flatbuffer, sheet
from edgecnn_runtime.annotate import Folder
from edgecnn_runtime.backends import Backend, installed
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.contract import Contract, Golden, InputSpec
from edgecnn_runtime.errors import BackendError, ImageError, ModelFileError

if TYPE_CHECKING:
    from tests.runtime.conftest import Script

# Whatever Python itself does after the file is open is told of by its audit events; code that is compiled is not.
TRACE = """
import sys
import numpy as np
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.errors import EdgeCNNError

sound, hostile = sys.argv[1:]
# What is imported and opened the first time is the interpreter's.
Classifier.open(sound, threads=1).classify(np.zeros((4, 4, 3), np.uint8))
seen = []
kinds = ("open", "import", "exec", "compile", "os.", "socket.", "subprocess.", "ctypes.", "shutil.", "pickle.")
sys.addaudithook(lambda event, arguments: seen.append((event, arguments)) if event.startswith(kinds) else None)
try:
    Classifier.open(hostile, threads=1).classify(np.zeros((4, 4, 3), np.uint8))
    outcome = "classified"
except EdgeCNNError as problem:
    outcome = "refused"
allowed = {hostile, "/dev/null"}
for event, arguments in list(seen):
    if event != "open" or arguments[0] not in allowed:
        print(event, arguments)
print(outcome)
"""


def payload_of(path: Path) -> bytes:
    data = path.read_bytes()
    return data[: container.parse(data)[1]]


def sealed(source: Path, target: Path, payload: bytes | None = None, /, **changes: object) -> Path:
    """A file with a sound checksum around another model or another contract."""
    known = container.read(source)[0]
    target.write_bytes(container.embed(payload or payload_of(source), replace(known, **changes)))  # type: ignore[arg-type]
    return target


def test_each_flipped_byte_is_found_before_an_interpreter_sees_it(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a file is covered: model, contract, and what stands around it."""

    def reached(*_: object) -> Backend:
        raise AssertionError("an interpreter was asked")

    monkeypatch.setattr(classifier, "open_backend", reached)
    with pytest.raises(AssertionError, match="was asked"):
        Classifier.open(model)
    data, damaged = bytearray(model.read_bytes()), tmp_path / model.name
    for position in range(len(data)):
        data[position] ^= 0xFF
        damaged.write_bytes(data)
        with pytest.raises(ModelFileError, match=model.name):
            Classifier.open(damaged)
        data[position] ^= 0xFF


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"labels": ("../../x", "/etc/passwd", "$(reboot)")},
        {"model": "__import__('os').system('reboot')", "author": "/etc/passwd"},
        {"training": {"data": "/etc/passwd", "__class__": "os.system"}, "tools": {"python": "http://localhost"}},
        {"labels": ("a", "b")},
    ],
)
def test_a_contract_makes_python_do_nothing(
    model: Path, changes: dict[str, object], tmp_path: Path, python: Script
) -> None:
    hostile = sealed(model, tmp_path / f"hostile{model.suffix}", **changes)
    ended = python("-c", TRACE, model, hostile)
    assert ended.stderr == ""
    assert ended.stdout == ("refused\n" if len(tuple(changes.get("labels", "abc"))) == 2 else "classified\n")  # type: ignore[arg-type]


def test_nothing_is_left_in_the_users_home(model: Path, tmp_path: Path) -> None:
    """As onnxruntime does by itself, to report to its maker."""
    quiet = ("CI", "ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME")  # with these it does not, or elsewhere
    environment = {name: value for name, value in os.environ.items() if name not in quiet}
    script = "import sys; from edgecnn_runtime import Classifier; Classifier.open(sys.argv[1])"
    command = [sys.executable, "-B", "-c", script, str(model)]
    subprocess.run(command, env=environment | {"HOME": str(tmp_path)}, timeout=60, check=True)
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("inputs", [0, 2])
def test_another_number_of_inputs(inputs: int, int8: Path, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    pixels = [onnx.helper.make_tensor_value_info(f"pixels{n}", 2, ["n", 4, 4, 3]) for n in range(inputs)]
    scores = onnx.helper.make_tensor_value_info("probabilities", 1, [1, 3])
    value = onnx.helper.make_tensor("value", 1, [1, 3], [0.2, 0.3, 0.5])
    node = onnx.helper.make_node("Constant", [], ["probabilities"], value=value)
    graph = onnx.helper.make_graph([node], "odd", pixels, [scores])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    odd = sealed(int8.with_name("tiny-fp32.onnx"), tmp_path / "odd.onnx", model.SerializeToString())
    with pytest.raises(ModelFileError, match=rf"odd\.onnx: the model has {inputs} inputs and 1 outputs, where a"):
        Classifier.open(odd)


def field(number: int, message: bytes) -> bytes:
    """As protobuf writes it: number, length, and what is in it."""
    size = len(message)
    length = bytes([size]) if size < 128 else bytes([size % 128 + 128, size // 128])
    return bytes([number << 3 | 2]) + length + message


def onnx_elsewhere(location: str, key: bytes = b"\x0a\x08location") -> bytes:
    """The tiny network with weights in another file."""
    onnx = pytest.importorskip("onnx")
    weights = onnx.TensorProto(name="steepness", data_type=1, dims=[], data_location=onnx.TensorProto.EXTERNAL)
    model = onnx.load_from_string(payload_of(Path(__file__).parent / "data" / "tiny-fp32.onnx"))
    del model.graph.initializer[:]
    elsewhere = field(13, key + field(2, location.encode()))
    graph = model.graph.SerializeToString() + field(5, weights.SerializeToString() + elsewhere)
    model.ClearField("graph")
    payload = bytes(model.SerializeToString() + field(7, graph))
    (read,) = onnx.load_from_string(payload).graph.initializer[0].external_data
    assert (read.key, read.value) == ("location", location)
    return payload


@pytest.mark.parametrize("spelling", [b"\x0a\x08", b"\x0a\x88\x00", b"\x8a\x00\x08", b"\x8a\x80\x00\x88\x80\x00"])
@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/passwd", "*/_ORT_MEM_ADDR_/*"])
def test_weights_in_another_file_are_not_read(
    location: str, spelling: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not installed("onnx"):
        pytest.skip("onnxruntime is not installed")
    (tmp_path / "weights.bin").write_bytes(np.float32(1).tobytes())
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path / "folder")
    model = Path(__file__).parent / "data" / "tiny-fp32.onnx"
    hostile = sealed(model, tmp_path / "hostile.onnx", onnx_elsewhere(location, spelling + b"location"))
    with pytest.raises(ModelFileError, match=r"hostile\.onnx: the model wants numbers from another file"):
        Classifier.open(hostile)


def test_a_label_or_a_tensor_may_speak_of_a_location(int8: Path, tmp_path: Path) -> None:
    model = int8.with_name("tiny-fp32.onnx")
    if not installed("onnx"):
        pytest.skip("onnxruntime is not installed")
    named = sealed(model, tmp_path / "named.onnx", labels=("location", "a\nlocation", "dislocation"))
    assert Classifier.open(named).classify(np.zeros((4, 4, 3), np.uint8))


def test_an_operator_that_no_interpreter_has(tmp_path: Path) -> None:
    """Nothing is looked for to run it."""
    if not installed("onnx"):
        pytest.skip("onnxruntime is not installed")
    model = Path(__file__).parent / "data" / "tiny-fp32.onnx"
    payload = payload_of(model).replace(b"ReduceMean", b"RunProgram")
    with pytest.raises(BackendError, match="cannot run the model"):
        Classifier.open(sealed(model, tmp_path / "unknown.onnx", payload))


def test_a_custom_operator(int8: Path, tmp_path: Path) -> None:
    """As TFLite has them: likewise."""
    custom = bytearray(payload_of(int8))
    file = flatbuffer.Bytes(bytes(custom))
    code = flatbuffer.Table(file, file.number("I", 0)).tables(1)[0]
    for place in (code._find(0), code._find(3)):
        if place:
            custom[place] = 32  # CUSTOM, in the old field and in the new one
    with pytest.raises(BackendError, match="cannot run the model"):
        Classifier.open(sealed(int8, tmp_path / "custom.tflite", bytes(custom)))


def test_a_model_of_another_format_behind_an_onnx_contract(int8: Path, tmp_path: Path) -> None:
    """onnxruntime has a format of its own, which it knows by its fifth to eighth byte."""
    model = int8.with_name("tiny-fp32.onnx")
    if not installed("onnx"):
        pytest.skip("onnxruntime is not installed")
    disguised = b"\x22\x06\x00\x00ORTM" + payload_of(model)
    assert Classifier.open(sealed(model, tmp_path / "x.onnx", disguised)).classify(np.zeros((4, 4, 3), np.uint8))


def test_labels_name_no_files(tmp_path: Path) -> None:
    """An annotated picture is called after the picture; what its label says is only drawn."""
    folder = Folder(tmp_path / "out")
    written = folder.write("../../a/b.png", np.zeros((8, 8, 3), np.uint8), "../../../etc/passwd\x1b[2J")
    assert written == tmp_path / "out" / "b.png"
    assert [each.name for each in (tmp_path / "out").iterdir()] == ["b.png"]


@pytest.mark.parametrize("text", [b"[" + b"[]," * 1_000_000 + b"0]", b"{" + b'"a":{},' * 1_000_000 + b"}"])
def test_json_that_unpacks_to_gigabytes_is_not_unpacked(text: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json, "loads", lambda _: pytest.fail("unpacked"))
    with pytest.raises(ModelFileError, match="too long"):
        Contract.from_json(text)


def test_json_that_is_nested_too_deeply_is_not_read() -> None:
    text = Contract("any", "onnx", "int8", ("a", "b"), InputSpec(4, 4), training={"x": 1}).to_json()
    assert Contract.from_json(text).training == {"x": 1}
    with pytest.raises(ModelFileError, match="nested too deeply"):
        Contract.from_json(text.replace('{"x":1}', f'{{"x":{"[" * 700 + "]" * 700}}}'))


def test_a_long_contract_is_read() -> None:
    """A thousand classes, and sixteen pictures with the answers of four interpreters and of Keras."""
    labels = tuple(f"class {each}" for each in range(1000))
    rows = ((0.001,) * 1000,) * 16
    golden = Golden(16, "", rows, {f"interpreter {each}": rows for each in range(4)})
    text = Contract("any", "onnx", "int8", labels, InputSpec(4, 4), golden=golden).to_json()
    assert Contract.from_json(text).golden == golden
    assert text.count(",") < contract.MAX_VALUES / 10


def test_vectors_that_unpack_to_gigabytes_are_not_unpacked() -> None:
    # A table at 12 whose vtable at 0 says that its first field, at 4 in it, leads to a vector.
    data = (b"\6\0\10\0\4\0" + bytes(6) + b"\x0c\0\0\0" + b"\4\0\0\0" + (500_000).to_bytes(4, "little")).ljust(
        2_100_000, b"\0"
    )
    table = flatbuffer.Table(flatbuffer.Bytes(data), 12)
    assert table.length(0) == 500_000
    with pytest.raises(ValueError, match="a vector of more than 100,000"):
        table.tables(0)


def test_a_sheet_of_gigabytes_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImageError, match="more than 17 megapixels"):
        sheet.unpack(b"", 9, 4096, 4096)
    with pytest.raises(ValueError, match="do not go on one sheet"):
        sheet.pack(np.broadcast_to(np.uint8(0), (20, 1024, 1024, 3)))


def test_a_file_larger_than_any_model(tmp_path: Path) -> None:
    path = tmp_path / "huge.tflite"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(ModelFileError, match="larger than any model"):
        container.read(path)
