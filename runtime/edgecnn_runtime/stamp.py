"""Whether a file is still the one that it was."""

from __future__ import annotations

import os
from typing import NamedTuple


class Stamp(NamedTuple):
    """What a file has another one of, once it is written again in place or replaced.

    Its inode's number is left out: FAT, network shares and FUSE number files anew that nobody touched.

    Attributes:
        size: in bytes.
        changed: when its bytes were last written, in nanoseconds.
    """

    size: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> Stamp:
        """The one of the file that this is said of."""
        return cls(status.st_size, status.st_mtime_ns)
