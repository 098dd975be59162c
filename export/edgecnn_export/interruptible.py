"""Ctrl-C within a library: some catch every exception, or make another of it, and the interrupt is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise the KeyboardInterrupt again at the end, if one was raised within and did not get there.

    The converters import what they need when they are called; jax, which TensorFlow looks for, is one that loses it.
    TensorFlow's compiled code makes a SystemError of it.
    """
    came = False

    def note(*_: object) -> NoReturn:
        nonlocal came
        came = True
        raise KeyboardInterrupt

    try:
        before = signal.signal(signal.SIGINT, note)
    except ValueError:  # not the main thread: Ctrl-C is somebody else's business
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            raise KeyboardInterrupt
