"""A TFLite model as objects, and as small a file of them as the format allows."""

from __future__ import annotations

from typing import Any

import flatbuffers


def unpack(model: bytes) -> Any:
    """The tables of a model, as objects that can be changed."""
    from tensorflow.lite.tools import flatbuffer_utils

    return flatbuffer_utils.convert_bytearray_to_object(model)


def pack(tables: Any) -> bytes:
    """The model of these tables, in which equal vectors stand once: of an int8 file, 1/15 are zeros at zero points."""
    builder = _Sharing(1024)
    builder.Finish(tables.Pack(builder), b"TFL3")
    return bytes(builder.Output())


class _Sharing(flatbuffers.Builder):  # type: ignore[misc]
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self._written: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x: Any) -> int:  # noqa: N802 - the library's name
        key = x.dtype.str, x.tobytes()
        if key not in self._written:
            self._written[key] = super().CreateNumpyVector(x)
        return self._written[key]
