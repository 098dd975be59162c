"""The tiny models, fresh processes (one loads one TFLite library at most), and terminals."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from edgecnn_runtime.backends import installed

DATA = Path(__file__).parent / "data"

# On an emulated board these tests do not run in the root of the checkout, where tests.runtime.bad_pictures is found. It
# comes last, so that the installed edgecnn is tested.
sys.path.append(str(Path(__file__).parents[2]))


class Terminal:
    """A terminal of 100 columns.

    Attributes:
        end: what a process writes to.
    """

    def __init__(self) -> None:
        self._ours, self.end = pty.openpty()
        self._text = b""
        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))

    def wait_for(self, words: str) -> None:
        """Read until these have been written to it."""
        while words not in self._text.decode(errors="replace"):
            assert self._read(), f"{words!r} is not in {self._text!r}"

    def shown(self) -> str:
        """All that was written to it, once everybody has left it."""
        os.close(self.end)
        while self._read():
            pass
        return self._text.decode().replace("\r\n", "\n")

    def screen(self) -> str:
        """What is to be seen then: without the bars that came and went, as they do when a machine is busy."""
        return re.sub(r"\r[^\r\n]*\x1b\[K", "", self.shown())

    def _read(self) -> bytes:
        try:
            block = os.read(self._ours, 4096)
        except OSError:  # Linux says so at the end
            return b""
        self._text += block
        return block

    def close(self) -> None:
        os.close(self._ours)


Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def int8() -> Path:
    return _runnable(DATA / "tiny-int8.tflite")


@pytest.fixture(params=["tiny-int8.tflite", "tiny-fp32.tflite", "tiny-fp32.onnx"])
def model(request: pytest.FixtureRequest) -> Path:
    return _runnable(DATA / str(request.param))


def _runnable(file: Path) -> Path:
    if not installed(file.suffix[1:]):  # a device has one interpreter
        pytest.skip(f"no interpreter for {file.name} is installed")
    return file


@pytest.fixture
def python() -> Script:
    """Run ``python arguments...`` in a fresh process."""

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-W", "error", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    return run


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with closing(Terminal()) as terminal:
        yield terminal
