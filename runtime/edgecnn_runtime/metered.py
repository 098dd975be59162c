"""A file of which only so much is read."""

from __future__ import annotations

from typing import Any, BinaryIO

from edgecnn_runtime.errors import ImageError

_A_READ = 32  # bytes in the time of which Python gets over a call


class Metered:
    """A binary file for a library that looks through all of it, byte by byte or copying it again with every part.

    Attributes:
        left: how many bytes may still be read; each call counts as some more.
    """

    def __init__(self, file: BinaryIO, left: int) -> None:
        """``file`` is read by way of this alone."""
        self._file, self.left = file, left

    def read(self, size: int = -1) -> bytes:
        """As the file's.

        Raises:
            ImageError: it was enough.
        """
        data = self._file.read(size if 0 <= size <= self.left else self.left + 1)
        self.left -= len(data) + _A_READ
        if self.left < 0:
            raise ImageError("holds too much besides its pixels; save it again")
        return data

    def __getattr__(self, name: str) -> Any:
        """Everything else is the file's own."""
        return getattr(self._file, name)
