"""FlatBuffers, read without their library, and without belief: every access is checked against the file's end.

A table is found by an offset and begins with the way back to its vtable, which says where in the table each of its
fields lies; a field that is not there has its default. Whatever is wrong is a ValueError.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

_MOST = 100_000
"""Elements of a vector that is read: in memory, each takes up to two hundred bytes for its four. The vectors of weights
are not read."""


class Bytes:
    """A file, of which no byte outside is read, and none too often."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        # In an honest file hardly two offsets lead to the same bytes. A hostile one could let every offset lead to the
        # same megabyte.
        self._left = 8 * len(data) + 4096

    def number(self, kind: str, position: int) -> int:
        """The number of a ``struct`` kind at a position."""
        try:
            return int(struct.unpack_from("<" + kind, self.data, position)[0])
        except (struct.error, OverflowError):  # OverflowError on a 32-bit computer, which cannot count so far
            raise ValueError(f"an offset leads to byte {position}, outside the file") from None

    def check(self, start: int, size: int) -> int:
        """The size, if so many bytes lie in the file."""
        if start + size > len(self.data):
            raise ValueError(f"{size} bytes at {start} do not lie in the file")
        return size

    def take(self, start: int, size: int) -> bytes:
        """A copy of some bytes."""
        self._left -= self.check(start, size)
        if self._left < 0:
            raise ValueError("its parts overlap")
        return self.data[start : start + size]


@dataclass(frozen=True)
class Table:
    """A table, by its position; fields are named by their index in the schema."""

    file: Bytes
    position: int

    def _find(self, field: int) -> int | None:
        vtable = self.position - self.file.number("i", self.position)
        if vtable < 0:
            raise ValueError(f"a table at {self.position} without its description")
        inside = 4 + 2 * field
        offset = self.file.number("H", vtable + inside) if inside < self.file.number("H", vtable) else 0
        return self.position + offset if offset else None

    def number(self, field: int, kind: str) -> int:
        """The number in a field, 0 if it is left out."""
        found = self._find(field)
        return 0 if found is None else self.file.number(kind, found)

    def _follow(self, field: int) -> int | None:
        found = self._find(field)
        return None if found is None else found + self.file.number("I", found)

    def table(self, field: int) -> Table | None:
        """The table that a field leads to."""
        found = self._follow(field)
        return None if found is None else Table(self.file, found)

    def length(self, field: int) -> int:
        """How many bytes stand in a vector of them, which is not copied."""
        found = self._follow(field)
        return 0 if found is None else self.file.check(found + 4, self.file.number("I", found))

    def bytes(self, field: int, width: int = 1) -> bytes:
        """The bytes of a vector of elements of some width."""
        found = self._follow(field)
        return b"" if found is None else self.file.take(found + 4, self.file.number("I", found) * width)

    def text(self, field: int) -> str:
        """The text in a field."""
        return self.bytes(field).decode("utf-8", "replace")

    def vector(self, field: int, kind: str) -> tuple[Any, ...]:
        """The numbers in a vector."""
        numbers = self.bytes(field, size := struct.calcsize(kind))
        if len(numbers) > _MOST * size:
            raise ValueError(f"a vector of more than {_MOST:,}")
        return tuple(each for (each,) in struct.iter_unpack("<" + kind, numbers))

    def tables(self, field: int) -> list[Table]:
        """The tables in a vector of them."""
        found = self._follow(field)
        offsets = self.vector(field, "I")
        return [Table(self.file, (found or 0) + 4 + 4 * i + offset) for i, offset in enumerate(offsets)]
