"""How threads are used best: side by side on many pictures, together on one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edgecnn_runtime.sources import Source


def divided(threads: int | None, source: Source) -> tuple[int, int]:
    """How many interpreters work side by side, and how many threads each has.

    Pictures that come one at a time have one interpreter, which may have several threads. Of many, each thread has an
    interpreter of its own: a small network hardly gains from a second thread.

    Args:
        threads: how many in all; None for one where there is one picture at a time, else as many as there are cores.
        source: the pictures.
    """
    if source.live or source.total == 1:
        return 1, threads or 1
    return threads or cores(), 1


def cores() -> int:
    """How many cores this process may use; a container has fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
