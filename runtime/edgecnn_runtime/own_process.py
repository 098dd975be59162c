"""Run a module in a process of its own, so that whatever ends an interpreter is a message here."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

from edgecnn_runtime.errors import BackendError

# As `python -m`, which would look for modules in the current folder first: a numpy.py there is none of ours. A crash
# that is expected leaves no core file.
_START = (
    "import sys; sys.path[0] = sys.argv.pop(1); import resource, runpy; "
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); "
    "runpy.run_module(sys.argv.pop(1), run_name='__main__', alter_sys=True)"
)

_MEANING = {
    signal.SIGILL: "an instruction that this processor does not have",
    signal.SIGSEGV: "a fault in compiled code",
    signal.SIGABRT: "it gave up by itself",
    signal.SIGBUS: "a fault in compiled code, or a full disk",
    signal.SIGKILL: "by someone, or for want of memory",
}


def run(module: str, *arguments: str, timeout: float | None = None) -> str:
    """Run a module as a program, with the Python and the modules of this process.

    Args:
        module: its name; what stands under ``if __name__ == "__main__"`` is run.
        arguments: of the program.
        timeout: seconds that it may take.

    Returns:
        The last line of its standard output: what comes before may be an interpreter's.

    Raises:
        BackendError: it was not started, was killed, took too long, or ended with another status than 0. The message is
            how, or the last line of its standard error.
    """
    command = [sys.executable, "-c", _START, sys.path[0], module, *arguments]
    try:
        ended = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise BackendError(f"hangs: no answer in {timeout:g} s") from None
    except OSError as problem:
        raise BackendError(f"no process can be started for it ({problem.strerror})") from None
    if ended.returncode < 0:
        raise BackendError(_killed(-ended.returncode))
    if ended.returncode:
        raise BackendError(_last_line(ended.stderr) or f"exit status {ended.returncode}")
    return _last_line(ended.stdout)


def ask(module: str, *arguments: str, timeout: float | None = None) -> Any:
    """Run a module likewise and give what it answered with :func:`answer`.

    Raises:
        BackendError: as :func:`run`, or there is no answer.
    """
    try:
        return json.loads(run(module, *arguments, timeout=timeout))
    except ValueError:
        raise BackendError("ended without an answer") from None


def answer(value: Any) -> None:
    """Answer the process that asked, with anything that JSON has."""
    # On a line of its own, whatever an interpreter has printed before.
    sys.stdout.write(f"\n{json.dumps(value)}\n")


def _killed(number: int) -> str:
    try:
        name = signal.Signals(number).name
    except ValueError:  # one of the real-time signals
        name = f"signal {number}"
    meaning = f" ({_MEANING[signal.Signals(number)]})" if number in _MEANING else ""
    return f"killed by {name}{meaning}"


def _last_line(text: str) -> str:
    return next(reversed(text.strip().splitlines()), "")
