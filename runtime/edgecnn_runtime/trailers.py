"""The bytes that follow a model in its file, for both formats.

A TFLite file is followed by a ZIP archive, the custom of TFLite's "associated files": interpreters ignore
what comes after the model, and any ZIP program opens the file. An ONNX file is followed by entries of its own
``metadata_props``: two protobuf messages laid end to end are their merge, so every ONNX program sees them.

Both are written here byte by byte, so that the same contract always gives the same file, on any version of
Python, and a reader can ask for exactly the bytes that a writer would have written.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

KEY = "edgecnn"
MEMBER = "edgecnn.json"
LABELS = "labels.txt"


class Found(NamedTuple):
    """Where a model ends and what its contract says.

    Attributes:
        size: length of the model itself, in bytes.
        text: the contract, JSON.
    """

    size: int
    text: bytes


# ---- TFLite: a ZIP archive, uncompressed, with two members

_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_NEW_YEAR_1980 = (1 << 5) | 1
_MADE_BY_UNIX = (3 << 8) | 20
_PLAIN_FILE = 0o100644 << 16


def tflite_trailer(size: int, text: bytes, labels: bytes) -> bytes:
    """The archive that follows a model of ``size`` bytes."""
    local, central = b"", b""
    for name, content in ((MEMBER.encode(), text), (LABELS.encode(), labels)):
        start = size + len(local)
        common = (20, 0, 0, 0, _NEW_YEAR_1980, zlib.crc32(content), len(content), len(content), len(name), 0)
        local += _LOCAL.pack(b"PK\3\4", *common) + name + content
        central += _CENTRAL.pack(b"PK\1\2", _MADE_BY_UNIX, *common, 0, 0, 0, _PLAIN_FILE, start) + name
    end = _END.pack(b"PK\5\6", 0, 0, 2, 2, len(central), size + len(local), 0)
    return local + central + end


def find_in_tflite(data: bytes) -> Found | None:
    """The contract of a TFLite file, or None if it has none. What is found is not yet checked."""
    try:
        directory = _END.unpack_from(data, len(data) - _END.size)[6]
        size = _CENTRAL.unpack_from(data, directory)[-1]
        signature, *_, length, _, name_length, _ = _LOCAL.unpack_from(data, size)
    except (struct.error, OverflowError):  # outside the data; on a 32-bit computer, further than it can count
        return None
    start = size + _LOCAL.size + name_length
    if signature != b"PK\3\4" or data[start - name_length : start] != MEMBER.encode():
        return None
    return Found(size, data[start : start + length])


# ---- ONNX: entries of ModelProto.metadata_props

_GRAPH, _METADATA = 7, 14
_BYTES = 2
_FIXED = {1: 8, 5: 4}


def onnx_trailer(_size: int, text: bytes, labels: bytes) -> bytes:
    """The metadata entries that follow a model. The digest is theirs, for protobuf itself has no checksum."""
    digest = hashlib.sha256(text).hexdigest().encode()
    entries = ((KEY.encode(), text), (b"edgecnn_sha256", digest), (b"labels", labels))
    return b"".join(_field(_METADATA, _field(1, key) + _field(2, value)) for key, value in entries)


def find_in_onnx(data: bytes) -> Found | None:
    """The contract of an ONNX file, or None if it has none. What is found is not yet checked.

    Raises:
        ValueError: the data is not an ONNX model.
    """
    found, has_graph = None, False
    for number, start, value, end in fields(data, 0, len(data)):
        has_graph |= number == _GRAPH
        if number == _METADATA:
            entry = {key: data[a:b] for key, _, a, b in fields(data, value, end)}
            if entry.get(1) == KEY.encode():
                found = Found(start, entry.get(2, b""))
    if not has_graph:
        raise ValueError("no graph")
    return found


def head(number: int, length: int) -> bytes:
    """What stands before the ``length`` bytes of a protobuf field's value."""
    return _varint(number << 3 | _BYTES) + _varint(length)


def _field(number: int, value: bytes) -> bytes:
    return head(number, len(value)) + value


def _varint(value: int) -> bytes:
    head = b""
    while value > 0x7F:
        head += bytes([value & 0x7F | 0x80])
        value >>= 7
    return head + bytes([value])


def fields(data: bytes | memoryview, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Number, start, start of the value and end of each field of a protobuf message; nothing is copied."""
    while start < stop:
        tag, value = read_varint(data, start)
        kind = tag & 7
        if kind == _BYTES:
            length, value = read_varint(data, value)
            end = value + length
        elif kind == 0:
            end = read_varint(data, value)[1]
        elif kind in _FIXED:
            end = value + _FIXED[kind]
        else:
            raise ValueError(f"wire type {kind}")
        if end > stop or tag >> 3 == 0:
            raise ValueError("a field that cannot be")
        yield tag >> 3, start, value, end
        start = end


def read_varint(data: bytes | memoryview, position: int) -> tuple[int, int]:
    """A protobuf number, unsigned, and the position behind it; ValueError if it does not end."""
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            break
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
    raise ValueError("a number without an end")
