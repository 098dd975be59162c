from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecnn_runtime import container, trailers
from edgecnn_runtime.contract import Contract, Golden, InputSpec
from edgecnn_runtime.errors import ModelFileError


def payload_of(path: Path) -> tuple[Contract, bytes]:
    data = path.read_bytes()
    contract, size = container.parse(data)
    return contract, data[:size]


def with_text(path: Path, text: bytes) -> bytes:
    """A sound file around a contract that is not."""
    _, payload = payload_of(path)
    trailer = trailers.tflite_trailer if path.suffix == ".tflite" else trailers.onnx_trailer
    return payload + trailer(len(payload), text, b"red\ngreen\nblue\n")


def test_round_trip(model: Path, tmp_path: Path) -> None:
    contract, payload = payload_of(model)
    golden = Golden(1, "aGVsbG8=", ((0.25, 0.75),), {"litert 2.3.0": ((0.5, 0.5),)})
    full = replace(
        contract,
        labels=("Käse\n\x1b[2J", "猫"),
        input=InputSpec(3, 5, "lanczos", "stretch"),
        golden=golden,
        parity={"agreement": 0.5},
    )
    file = tmp_path / "any name"
    file.write_bytes(container.embed(payload, full))
    read, data = container.read(file)
    assert read == full.sealed(hashlib.sha256(payload).hexdigest())
    assert data == file.read_bytes()
    assert data.startswith(payload)
    assert container.parse(data) == (read, len(payload))


def test_the_same_contract_gives_the_same_file(model: Path) -> None:
    contract, payload = payload_of(model)
    assert container.embed(payload, contract) == model.read_bytes()


def test_a_zip_program_opens_a_tflite_file(int8: Path) -> None:
    contract, payload = payload_of(int8)
    with zipfile.ZipFile(int8) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["edgecnn.json", "labels.txt"]
        assert Contract.from_json(archive.read("edgecnn.json")) == contract
        assert archive.read("labels.txt") == b"red\ngreen\nblue\n"
        assert archive.infolist()[0].header_offset == len(payload)
        assert {member.compress_type for member in archive.infolist()} == {zipfile.ZIP_STORED}


def test_onnx_sees_the_contract(int8: Path) -> None:
    onnx = pytest.importorskip("onnx")
    model = int8.with_name("tiny-fp32.onnx")
    contract, payload = payload_of(model)
    proto = onnx.load(model)
    onnx.checker.check_model(proto)
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    assert Contract.from_json(metadata["edgecnn"]) == contract
    assert metadata["labels"] == "red\ngreen\nblue\n"
    bare = onnx.load_from_string(payload)
    assert proto.graph == bare.graph
    assert not bare.metadata_props


def test_a_model_with_an_appendix_of_its_own(int8: Path) -> None:
    contract, payload = payload_of(int8)
    appendix = io.BytesIO(payload)
    with zipfile.ZipFile(appendix, "a") as archive:
        archive.writestr("vocabulary.txt", "hello")
    with pytest.raises(ModelFileError, match="no edgecnn contract"):
        container.parse(appendix.getvalue())
    data = container.embed(appendix.getvalue(), contract)
    assert container.parse(data)[1] == len(appendix.getvalue())


def test_embed_takes_a_bare_model_of_its_format(model: Path) -> None:
    contract, payload = payload_of(model)
    other = "onnx" if contract.format == "tflite" else "tflite"
    with pytest.raises(ValueError, match=f"expected a bare {other}"):
        container.embed(payload, replace(contract, format=other))
    with pytest.raises(ValueError, match="carries a contract already"):
        container.embed(model.read_bytes(), contract)


def test_every_damaged_byte_is_found(model: Path) -> None:
    data = bytearray(model.read_bytes())
    for position in range(len(data)):
        for mask in (0x01, 0x20, 0x80, 0xFF):
            data[position] ^= mask
            with pytest.raises(ModelFileError):
                container.parse(bytes(data))
            data[position] ^= mask
    container.parse(bytes(data))


def test_every_truncation_is_found(model: Path) -> None:
    data = model.read_bytes()
    for length in range(len(data)):
        with pytest.raises(ModelFileError):
            container.parse(data[:length])
    for more in (b"\0", b"PK", data):
        with pytest.raises(ModelFileError):
            container.parse(data + more)


def test_any_other_bytes_are_a_model_file_error(model: Path) -> None:
    rng = np.random.default_rng(2)
    data = model.read_bytes()
    for _ in range(300):
        noise = rng.bytes(int(rng.integers(0, 200)))
        a, b = sorted(rng.integers(0, len(data), 2))
        for broken in (noise, b"\x20\0\0\0TFL3" + noise, data[:a] + noise, data[:a] + noise + data[b + 1 :]):
            if broken != data:
                with pytest.raises(ModelFileError):
                    container.parse(broken)


def test_a_foreign_model_is_named_so(model: Path, tmp_path: Path) -> None:
    foreign = tmp_path / "foreign.bin"
    foreign.write_bytes(payload_of(model)[1])
    with pytest.raises(ModelFileError, match=r"foreign\.bin: carries no edgecnn contract.*edgecnn export"):
        container.read(foreign)


def test_a_torn_foreign_model_is_named_so(int8: Path) -> None:
    _, payload = payload_of(int8.with_name("tiny-fp32.onnx"))
    with pytest.raises(ModelFileError, match="neither a TFLite nor an ONNX model, or a damaged one"):
        container.parse(payload[:-50])


def test_a_damaged_weight_is_named_so(model: Path) -> None:
    data = bytearray(model.read_bytes())
    data[len(payload_of(model)[1]) // 2] ^= 1
    with pytest.raises(ModelFileError, match=r"damaged.*copy it again"):
        container.parse(bytes(data))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"schema": 2}, "newer"),
        ({"schema": None}, "cannot be read"),
        ({"labels": []}, "labels"),
        ({"labels": [1, 2, 3]}, "labels"),
        ({"labels": None}, "labels"),
        ({"input": {"height": 4, "width": -4}}, "input size"),
        ({"input": {"height": 4, "width": 10**9}}, "input size"),
        ({"input": {"height": 4, "width": 4, "filter": "sharp"}}, "resize rule"),
        ({"input": [4, 4]}, "cannot be read"),
        ({"golden": [1]}, "cannot be read"),
        ({"surprise": 1}, "cannot be read"),
        ({"format": ["tflite"]}, "damaged"),
        ({"payload_sha256": 5}, "damaged"),
    ],
)
def test_a_contract_that_is_none(model: Path, change: dict[str, Any], complaint: str) -> None:
    contract, _ = payload_of(model)
    text = json.dumps(json.loads(contract.to_json()) | change).encode()
    with pytest.raises(ModelFileError, match=complaint):
        container.parse(with_text(model, text))


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b"9" * 10_000])
def test_json_that_is_no_contract(model: Path, text: bytes) -> None:
    with pytest.raises(ModelFileError):
        container.parse(with_text(model, text))


def test_files_that_are_none(tmp_path: Path) -> None:
    empty = tmp_path / "empty.onnx"
    empty.touch()
    for path, complaint in [
        (tmp_path / "x.onnx", "no such file"),
        (tmp_path, "not a file"),
        (empty, "is empty"),
    ]:
        with pytest.raises(ModelFileError, match=complaint) as caught:
            container.read(path)
        assert str(caught.value).startswith(str(path))
    with pytest.raises(ModelFileError, match="cannot be read"):
        container.read("nul\0byte")
