"""Real processes that end in every way there is."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edgecnn_runtime import own_process
from edgecnn_runtime.errors import BackendError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a module ``program`` that a new process finds."""
    (tmp_path / "site").mkdir()
    paths = (str(tmp_path / "site"), os.environ.get("PYTHONPATH"))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))  # an empty one would be the current folder
    return tmp_path / "site" / "program.py"


def test_the_answer_is_what_was_answered(module: Path) -> None:
    module.write_text(
        "import os, sys\nfrom edgecnn_runtime import own_process\nassert __name__ == '__main__'\n"
        "print('INFO: a library talks', end='', flush=True)\n"
        "os.write(2, b'and here')\nown_process.answer(sys.argv[1:])\n"
    )
    assert own_process.ask("program", "a b", "--c") == ["a b", "--c"]


def test_what_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/none/python")
    with pytest.raises(BackendError, match=r"^no process can be started for it \(No such file or directory\)$"):
        own_process.run("json.tool")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGILL)", "killed by SIGILL (an instruction that this "),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "killed by SIGSEGV (a fault in compiled code)"),
        ("import os; os.abort()", "killed by SIGABRT (it gave up by itself)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "killed by SIGKILL (by someone, or for want of "),
        ("import os, signal; os.kill(os.getpid(), signal.SIGUSR1)", "killed by SIGUSR1"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 3)", "killed by signal 3"),
        ("raise ImportError('no such symbol')", "ImportError: no such symbol"),
        ("import sys; sys.exit(7)", "exit status 7"),
        ("import sys; sys.exit('one\\ntwo')", "two"),
        ("import os; os._exit(0)", "ended without an answer"),
        ("print('hello')", "ended without an answer"),
    ],
)
def test_each_end_is_a_message(module: Path, body: str, message: str) -> None:
    module.write_text(body)
    with pytest.raises(BackendError) as caught:
        own_process.ask("program", timeout=60)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_what_hangs_is_ended(module: Path, tmp_path: Path) -> None:
    module.write_text(f"import os, time; open({str(tmp_path / 'pid')!r}, 'w').write(str(os.getpid())); time.sleep(600)")
    begun = time.perf_counter()
    with pytest.raises(BackendError, match=r"^hangs: no answer in 4 s$"):
        own_process.run("program", timeout=4)
    assert time.perf_counter() - begun < 30
    if (tmp_path / "pid").exists():  # an emulated processor may not get as far
        with pytest.raises(ProcessLookupError):
            os.kill(int((tmp_path / "pid").read_text()), 0)


def test_a_crash_leaves_no_core_file(module: Path) -> None:
    module.write_text(
        "import resource\nfrom edgecnn_runtime import own_process\n"
        "own_process.answer(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    before = resource.getrlimit(resource.RLIMIT_CORE)
    assert own_process.ask("program") == [0, 0]
    assert resource.getrlimit(resource.RLIMIT_CORE) == before


def test_modules_of_the_current_folder_are_not_ours(module: Path, tmp_path: Path) -> None:
    """As the ``edgecnn`` script, which has its own folder first on the path."""
    module.write_text("import numpy\nfrom edgecnn_runtime import own_process\nown_process.answer(numpy.__version__)")
    (tmp_path / "numpy.py").write_text("raise SystemExit('taken from the current folder')")
    script = (
        "import sys; sys.path[0] = sys.prefix\nfrom edgecnn_runtime import own_process\n"
        "print(own_process.ask('program'))"
    )
    paths = os.pathsep.join((os.environ["PYTHONPATH"], str(ROOT), str(ROOT / "export"), str(ROOT / "runtime")))
    ended = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.stderr == ""
    assert ended.stdout[0].isdigit()
