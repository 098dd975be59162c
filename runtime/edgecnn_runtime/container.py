"""A model and its contract in one file: the model's own bytes, unchanged, and the contract after them.

A file is believed only if it is exactly what :func:`embed` would write, so a damaged copy is found out before
an interpreter, which may crash on it, sees a byte of it.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from edgecnn_runtime import trailers
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.errors import ModelFileError

MAX_BYTES = 2**31
"""The largest file that is read: neither format can be larger."""

_FIND = {"tflite": trailers.find_in_tflite, "onnx": trailers.find_in_onnx}
_TRAILER = {"tflite": trailers.tflite_trailer, "onnx": trailers.onnx_trailer}


def embed(payload: bytes, contract: Contract) -> bytes:
    """A model file: the payload followed by the contract, which is sealed with the payload's SHA-256.

    Raises:
        ValueError: the payload is not a bare model of the contract's format.
    """
    model_format, found = _identify(payload)
    if model_format != contract.format or found:
        carrying = " that carries a contract already" if found else ""
        raise ValueError(f"expected a bare {contract.format} model, got {model_format}{carrying}")
    sealed = contract.sealed(hashlib.sha256(payload).hexdigest())
    return payload + _trailer(sealed, sealed.to_json().encode(), len(payload))


def read(path: str | os.PathLike[str]) -> tuple[Contract, bytes]:
    """Read and check a model file.

    Returns:
        The contract, and the bytes of the whole file for an interpreter, which ignores the contract in them.

    Raises:
        ModelFileError: the file is missing, damaged, or was not written by edgecnn.
    """
    try:
        data = read_bytes(path)
        contract, _ = parse(data)
    except ModelFileError as problem:
        raise ModelFileError(f"{os.fspath(path)}: {problem}") from None
    return contract, data


def parse(data: bytes) -> tuple[Contract, int]:
    """Check the bytes of a model file.

    Returns:
        The contract, and the length of the payload in bytes.

    Raises:
        ModelFileError: the bytes are damaged, or were not written by edgecnn.
    """
    contract, size = examine(data)
    if contract is None:
        raise ModelFileError(
            "carries no edgecnn contract; export the model with `edgecnn export`, "
            "or copy the file again if edgecnn wrote it"
        )
    return contract, size


def examine(data: bytes) -> tuple[Contract | None, int]:
    """Check the bytes of a model file that anybody may have written.

    Returns:
        As :func:`parse`; no contract if there is none, and then the length of all.

    Raises:
        ModelFileError: the bytes are no model, or the contract does not agree with them.
    """
    try:
        model_format, found = _identify(data)
    except ValueError:
        if data.startswith((b"PK\3\4", b"\x89HDF")):
            raise ModelFileError("looks like a Keras model; export it first: edgecnn export") from None
        raise ModelFileError("neither a TFLite nor an ONNX model, or a damaged one; copy it again") from None
    if found is None:
        return None, len(data)
    contract = Contract.from_json(found.text)
    payload = memoryview(data)[: found.size]
    if (
        contract.format != model_format
        or data[found.size :] != _trailer(contract, found.text, found.size)
        or contract.payload_sha256 != hashlib.sha256(payload).hexdigest()
    ):
        raise ModelFileError("is damaged (its checksum does not agree); copy it again")
    return contract, found.size


def format_of(data: bytes) -> str:
    """``tflite`` or ``onnx``, by the content, for a file name can be wrong. ONNX files have no mark of their own."""
    return "tflite" if data[4:8] == b"TFL3" else "onnx"


def _identify(data: bytes) -> tuple[str, trailers.Found | None]:
    """Format and contract; ValueError if it is no model."""
    model_format = format_of(data)
    return model_format, _FIND[model_format](data)


def _trailer(contract: Contract, text: bytes, size: int) -> bytes:
    # One label a line, for other programs: the contract itself is what the runtime reads.
    labels = "".join(" ".join(label.split()) + "\n" for label in contract.labels)
    return _TRAILER[contract.format](size, text, labels.encode("utf-8", "replace"))


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file.

    Raises:
        ModelFileError: it is missing, empty, or cannot be read; the message does not name it.
    """
    try:
        path = Path(path)
        if path.exists() and not path.is_file():
            raise ModelFileError("is not a file; name a .tflite or .onnx file that edgecnn export wrote")
        if path.stat().st_size > MAX_BYTES:
            raise ModelFileError("is larger than any model; name another")
        data = path.read_bytes()
    except FileNotFoundError:
        raise ModelFileError("no such file; check the path") from None
    except (OSError, ValueError) as problem:
        raise ModelFileError(f"cannot be read ({getattr(problem, 'strerror', None) or problem})") from None
    except MemoryError:
        raise ModelFileError("does not fit into memory; use a smaller model") from None
    if not data:
        raise ModelFileError("is empty; copy it again")
    return data
