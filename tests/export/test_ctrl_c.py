"""Ctrl-C while an export is under way: nothing half-written stays, and what was there before is there still."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgecnn_export.interruptible import interruptible

# The command, which tells when the conversion begins.
TELLING = """
import sys
from edgecnn.cli.main import main
from edgecnn_export import tflite_int8

begin = tflite_int8.TFLiteInt8.__init__

def told(*arguments):
    print("converting", flush=True)
    begin(*arguments)

tflite_int8.TFLiteInt8.__init__ = told
main()
"""


def converting(process: subprocess.Popen[str], _: Path) -> None:
    assert process.stdout
    assert any(line == "converting\n" for line in process.stdout)
    time.sleep(0.5)


def scoring(process: subprocess.Popen[str], out: Path) -> None:
    """The model is there under a name that is not its own, and an interpreter has it."""
    while process.poll() is None and not list(out.glob(".tmp.*")):
        time.sleep(0.01)
    time.sleep(0.2)


@pytest.mark.parametrize("during", [converting, scoring])
def test_a_terminals_interrupt(
    during: Callable[[subprocess.Popen[str], Path], None], baseline_path: Path, tmp_path: Path
) -> None:
    out, scratch = tmp_path / "out", tmp_path / "scratch"
    good = {name: f"yesterday's {name}" for name in ("baseline-int8.tflite", "baseline-int8.tflite.json", "x.md")}
    for folder in (out, scratch):
        folder.mkdir()
    for name, text in good.items():
        (out / name).write_text(text)
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            TELLING,
            "export",
            str(baseline_path),
            "--int8",
            "--format",
            "tflite",
            "--out",
            str(out),
        ],
        env=os.environ | {"XDG_CACHE_HOME": str(tmp_path / "none"), "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    during(process, out)
    assert process.poll() is None
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: the interpreter's process gets it too
    _, errors = process.communicate(timeout=60)
    # CPython ends by the signal itself, a shell's 130 too, if code that it compiled from text was interrupted.
    assert process.returncode in (130, -signal.SIGINT)
    assert errors == "error: interrupted\n"
    assert {path.name: path.read_text() for path in out.iterdir()} == good
    assert not [path for path in scratch.iterdir() if path.is_dir()]


def test_an_interrupt_that_a_library_swallows_is_raised_again() -> None:
    went_on = False
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        except BaseException:
            went_on = True
    assert went_on
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_interrupt_that_became_an_error_is_an_interrupt() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise SystemError("bad argument to internal function") from None
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_error_stays_the_error_that_it_is() -> None:
    with pytest.raises(ValueError, match="broken"), interruptible():
        raise ValueError("broken")
    with interruptible():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
