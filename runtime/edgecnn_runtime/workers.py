"""How threads are used best: beside each other on many pictures, or together on one."""

from __future__ import annotations

import os

from edgecnn_runtime.sources import Source

LARGE_MODEL = 50_000_000
"""Bytes of a model file above which there is one interpreter only: another one takes its memory again."""


def divided(threads: int | None, source: Source, model_size: int) -> tuple[int, int]:
    """How many interpreters work side by side, and how many threads each has.

    Pictures that come one at a time, and large models, have one interpreter, which may have several threads. Otherwise
    each thread has an interpreter of its own: a small network hardly gains from a second thread.

    Args:
        threads: how many in all; None for one where there is one picture at a time, else as many as there are cores.
        source: the pictures.
        model_size: of the model file, in bytes.
    """
    single = source.live or source.total == 1
    threads = threads or (1 if single else cores())
    if single or model_size > LARGE_MODEL:
        return 1, threads
    return threads, 1


def cores() -> int:
    """How many cores this process may use; a container has fewer than the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
