"""``edgecnn classify`` as a person, a pipe, a signal and a camera's folder meet it: real processes and terminals."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from edgecnn_runtime import container

if TYPE_CHECKING:
    from tests.runtime.conftest import Terminal

CLASSIFY = [sys.executable, "-W", "error", "-m", "edgecnn", "classify"]


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to stand in, with pictures."""
    monkeypatch.chdir(tmp_path)
    Path("many").mkdir()
    for number in range(60):
        Image.new("RGB", (8, 8), ("red", "lime", "blue")[number % 3]).save(f"many/{number:02}.png")
    return tmp_path


def test_a_table_on_a_terminal(int8: Path, pictures: Path, terminal: Terminal) -> None:
    command = [*CLASSIFY, "many/00.png", "many/01.png", "--model", str(int8), "--top", "1"]
    ended = subprocess.run(command, stdout=terminal.end, stderr=terminal.end, timeout=60, check=False)
    assert ended.returncode == 0
    assert terminal.screen().splitlines() == [
        "label   score  picture",
        "red     99.6%  many/00.png",
        "green   99.6%  many/01.png",
    ]


def test_the_reader_has_seen_enough(int8: Path, pictures: Path) -> None:
    for threads in "12":
        words = f"set -o pipefail; '{sys.executable}' -m edgecnn classify many many many --model '{int8}'"
        words += f" --threads {threads} | head -1"
        ended = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
        assert (ended.returncode, ended.stderr) == (0, "")
        assert ended.stdout.split("\t")[:2] == ["many/00.png", "red"]


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["export", "--help"], ["export", "-h"], ["verify", "--help"]])
def test_nobody_reads_the_help(words: list[str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    try:
        command = [sys.executable, "-m", "edgecnn", *words]
        ended = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    finally:
        os.close(theirs)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_nobody_reads_the_errors(int8: Path, pictures: Path) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    command = [*CLASSIFY, "none.png", "many/00.png", "--top", "1", "--model", str(int8)]
    try:
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=60, check=False)
    finally:
        os.close(theirs)
    assert (ended.returncode, ended.stdout.split("\t")[:2]) == (1, ["many/00.png", "red"])


def test_nowhere_to_write_errors_to(int8: Path, pictures: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with Path("/dev/full").open("w") as full:
        command = [*CLASSIFY, "none.png", "many/00.png", "--top", "1", "--model", str(int8)]
        ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=full, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout.split("\t")[:2]) == (1, ["many/00.png", "red"])


def test_nowhere_to_write_to(int8: Path, pictures: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    with Path("/dev/full").open("w") as full:
        command = [*CLASSIFY, "many", "--model", str(int8)]
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "error: the output cannot be written (No space left on device)\n"


def test_no_standard_output_at_all(int8: Path, pictures: Path) -> None:
    words = f"'{sys.executable}' -m edgecnn classify many/00.png --model '{int8}' >&-"
    ended = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_no_standard_error_at_all(int8: Path, pictures: Path) -> None:
    words = f"'{sys.executable}' -m edgecnn classify none.png many/00.png --top 1 --model '{int8}' 2>&-"
    ended = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout.split("\t")[:2]) == (1, ["many/00.png", "red"])


def test_no_standard_input_nor_error(int8: Path, pictures: Path) -> None:
    """A picture must not get the number of the stream that is silenced while a TIFF is read."""
    Image.new("RGB", (40, 40), "red").save("red.tif")
    words = f"'{sys.executable}' -m edgecnn classify red.tif --top 1 --model '{int8}' <&- 2>&-"
    ended = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout.split("\t")[:2]) == (0, ["red.tif", "red"])


def test_a_label_that_the_encoding_does_not_have(int8: Path, pictures: Path) -> None:
    contract, payload = container.read(int8)[0], int8.read_bytes()
    payload = payload[: container.parse(payload)[1]]
    Path("cats.tflite").write_bytes(container.embed(payload, replace(contract, labels=("猫", "dog", "bird"))))
    command = [*CLASSIFY, "many/00.png", "--top", "1", "--model", "cats.tflite"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.split("\t")[:2] == ["many/00.png", "\\u732b"]


@pytest.mark.parametrize("quiet", [False, True])
def test_progress_on_long_work(int8: Path, pictures: Path, terminal: Terminal, quiet: bool) -> None:
    os.mkfifo("list")
    command = [*CLASSIFY, "--from", "list", "--model", str(int8), "--threads", "1", *["--quiet"] * quiet]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=terminal.end) as process:
        assert process.stdout
        with Path("list").open("w") as listing:
            for number in range(14):
                print(f"many/{number:02}.png", file=listing, flush=True)
                process.stdout.readline()
                time.sleep(0.1)
        assert process.wait(60) == 0
    said = terminal.shown()
    assert ("14 pictures  " in said) == (not quiet)
    assert said.endswith("\r\x1b[K") == (not quiet)
    assert "error" not in said


@pytest.mark.parametrize("bad", [False, True])
def test_watching_until_ctrl_c(int8: Path, pictures: Path, bad: bool) -> None:
    Path("inbox").mkdir()
    shutil.copy("many/00.png", "inbox/old.png")
    command = [*CLASSIFY, "many/02.png", "--watch", "inbox", "--annotate", "out", "--json", "--model", str(int8)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        lines = [process.stdout.readline()]  # by now the folder is watched
        if bad:
            Path("inbox/bad.png").write_bytes(b"no picture, but whole: \0\0\0\0IEND\xaeB`\x82")
        for name in ("01", "00"):
            shutil.copy(f"many/{name}.png", "inbox/.part")
            Path("inbox/.part").rename(f"inbox/new-{name}.png")
            lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert not out
    answers = {each["file"]: each for each in map(json.loads, lines)}
    assert list(answers) == ["many/02.png", "inbox/new-01.png", "inbox/new-00.png"]
    assert [each["predictions"][0]["label"] for each in answers.values()] == ["blue", "green", "red"]
    assert [each["annotated"] for each in answers.values()] == ["out/02.png", "out/new-01.png", "out/new-00.png"]
    assert process.returncode == int(bad)
    assert [line.split()[1] for line in err.splitlines()] == ["inbox/bad.png:"] * bad


def test_ctrl_c_amid_many_pictures_is_an_interrupt(int8: Path, pictures: Path) -> None:
    os.mkfifo("list")
    command = [*CLASSIFY, "--from", "list", "--model", str(int8), "--threads", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        with Path("list").open("w") as listing:
            print("many/00.png", file=listing, flush=True)
            assert process.stdout.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
        assert process.stderr
        assert process.stderr.read() == "error: interrupted\n"


def test_ctrl_c_reaches_the_workers_too_and_is_one_interrupt(int8: Path, pictures: Path) -> None:
    os.mkfifo("list")
    command = [*CLASSIFY, "--from", "list", "--model", str(int8), "--threads", "2"]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            with Path("list").open("w") as listing:
                listing.write("many/00.png\n" * 4000)
                listing.flush()
                deadline = time.monotonic() + 60
                while len(session(process.pid)) < 3:
                    assert time.monotonic() < deadline
                os.killpg(process.pid, signal.SIGINT)  # as a terminal does
                assert process.wait(60) == 130
            assert process.stderr
            assert process.stderr.read() == "error: interrupted\n"
            while session(process.pid):
                assert time.monotonic() < deadline
                time.sleep(0.01)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def session(leader: int) -> list[int]:
    """The processes of a session."""
    members = []
    for number in (int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()):
        with suppress(ProcessLookupError):
            members += [number] * (os.getsid(number) == leader)
    return members


def test_ctrl_c_at_the_first_import_is_an_interrupt(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    ended = subprocess.run(
        [sys.executable, "-m", "edgecnn", "models"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", "error: interrupted\n")


def test_ctrl_c_in_a_destructor_is_an_interrupt(int8: Path, pictures: Path) -> None:
    os.mkfifo("list")
    script = f"""
import signal
from edgecnn.cli.main import main
from edgecnn_runtime.classifier import Classifier

class Interrupted:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
        raise ValueError("never reached")

begin = Classifier.open
Classifier.open = lambda *words, **options: (Interrupted(), begin(*words, **options))[1]
import sys
sys.argv[1:] = ["classify", "--from", "list", "--model", {str(int8)!r}, "--threads", "1"]
main()
"""
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) as process:
        with Path("list").open("w"):  # which says nothing and goes on
            assert process.wait(60) == 130
        assert process.stderr
        assert process.stderr.read() == "error: interrupted\n"


def test_a_list_on_standard_input_is_answered_line_by_line(int8: Path, pictures: Path) -> None:
    command = [*CLASSIFY, "--from", "-", "--quiet", "--model", str(int8)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        for number, label in enumerate(("red", "green", "blue")):
            print(f"many/{number:02}.png", file=process.stdin, flush=True)
            assert process.stdout.readline() == f"{label}\n"
        process.stdin.close()
        assert process.wait(60) == 0


def test_one_picture_loads_nothing_that_others_need(int8: Path, pictures: Path) -> None:
    script = f"""
import pathlib, sys  # pathlib loads glob since Python 3.13
given = set(sys.modules)
from edgecnn.cli.main import run
assert run(["classify", "many/00.png", "--model", {str(int8)!r}]) == 0
print(*sys.modules.keys() - given, file=sys.stderr)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    loaded = set(ended.stderr.split())
    assert "edgecnn_runtime.sources.named" in loaded
    heavy = {"cv2", "picamera2", "urllib.request", "http.client", "ssl", "csv", "glob", "concurrent.futures"}
    assert not heavy & loaded
    assert not {f"edgecnn_runtime.sources.{name}" for name in ("web", "opencv", "watch", "listing")} & loaded
    assert not {"edgecnn_runtime.annotate", "PIL.ImageDraw", "PIL.ImageFont"} & loaded
