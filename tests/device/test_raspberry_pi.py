"""docs/raspberry-pi.md: its unit is sound, its table is what the boards run, and its commands run on one."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
import subprocess
from importlib import import_module
from pathlib import Path

import pytest
import typer
from PIL import Image

from edgecnn.models import default_model
from tests.device import emulator
from tests.device.board import BOARDS, Board

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "raspberry-pi.md").read_text()
HOME = "/home/pi"


def blocks(kind: str) -> list[str]:
    found = re.findall(rf"^```{kind}\n(.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL)
    assert found
    return found


def test_the_services_are_sound(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("there is no systemd-analyze")
    program = tmp_path / "edgecnn/bin/edgecnn"
    program.parent.mkdir(parents=True)
    program.symlink_to("/bin/true")
    for name, unit in zip(("edgecnn.service", "edgecnn-camera.service"), blocks("ini"), strict=True):
        assert f"/etc/systemd/system/{name}`" in GUIDE
        there = unit.replace(HOME, str(tmp_path)).replace("/usr/bin/rpicam-still", "/bin/true")
        (tmp_path / name).write_text(there)
        command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / name)]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        complaints = [line for line in ended.stderr.splitlines() if name in line]
        assert (ended.returncode, complaints) == (0, [])


def test_the_service_runs_a_command_that_there_is() -> None:
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(blocks("ini")[0])
    program, *words = shlex.split(unit["Service"]["ExecStart"])
    assert program == f"{HOME}/edgecnn/bin/edgecnn"
    assert f"scp dist/edgecnn-*.whl {Path(words[-2]).name} pi@" in GUIDE
    assert takes(words)


def test_every_command_is_one_that_there_is() -> None:
    in_text = [each.replace("\n", " ") for each in re.findall(r"`(edgecnn [a-z]+[^`]*)`", GUIDE)]
    lines = [line for block in [*blocks("sh"), *in_text] for line in block.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("edgecnn ")]
    assert {words[0] for words in commands} == {"classify", "verify", "doctor", "benchmark"}
    assert [words for words in commands if not takes(words)] == []


def takes(words: list[str]) -> bool:
    """Whether the command line is understood."""
    verb, *rest = words
    program = typer.Typer()
    program.command()(getattr(import_module(f"edgecnn.cli.{verb}"), verb))
    return bool(typer.main.get_command(program).make_context(verb, rest))


def test_the_boards_are_those_of_the_guide() -> None:
    for word, suite in (("Bookworm", "bookworm"), ("Trixie", "trixie")):
        python, *extras = re.findall(rf"^\| {word} \(.*?\) \| (.*?) \| (.*?) \| (.*?) \|$", GUIDE, re.MULTILINE)[0]
        for architecture, listed in zip(("arm64", "armhf"), extras, strict=True):
            boards = [each for each in BOARDS if (each.system.suite, each.system.architecture) == (suite, architecture)]
            assert {f"`{each.extra}`" for each in boards} == set(re.findall("`.*?`", listed)), (word, architecture)
            assert {each.system.python for each in boards} <= {f"python{python}"}


def test_the_guide_installs_what_the_boards_have() -> None:
    (few,), (more,) = ([each for each in blocks(kind) if "apt" in each] for kind in ("sh", "sh 32-bit"))
    assert ("--system-site-packages" in few, "--system-site-packages" in more) == (False, True)
    for block, system in ((few, emulator.BOOKWORM), (more, emulator.BOOKWORM_32)):
        (packages,) = re.findall(r"apt install -y (.*)$", block, re.MULTILINE)
        assert packages.split() == ["python3-venv", *system.packages]
    (extra,) = re.findall(r"\[(.*)\]", more)
    assert [each.extra for each in BOARDS if each.system == emulator.BOOKWORM_32] == [extra]


@pytest.mark.arm
@pytest.mark.full
def test_its_commands_run_on_a_pi(wheel: Path, tmp_path: Path) -> None:
    board = next(each for each in BOARDS if (each.name, each.extra) == ("pi4", "litert"))
    programs, home = tmp_path / "programs", tmp_path / "home"
    home.mkdir()
    stand_ins(programs, board)
    shutil.copy(wheel, home)
    shutil.copy(default_model("litert"), home / "my-network-int8.tflite")
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", "-eu"],
        input="\n".join(blocks("sh")),
        cwd=home,
        env=board.variables | {"HOME": str(home), "PATH": path},
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("cam.jpg\tfrog\t") == 2
    assert "\nverified my-network-int8.tflite: 16 of 16 pictures" in ended.stdout
    assert f"by {board.interpreter} " in ended.stdout
    assert "on aarch64, " in ended.stdout


def stand_ins(folder: Path, board: Board) -> None:
    """What an emulated board has not: its Python by this name, apt as another user, and a camera."""
    folder.mkdir()
    (folder / "python3").symlink_to(emulator.root(board.system) / "usr/bin/python3")
    with Image.open(ROOT / "docs/pictures/frog.png") as frog:
        frog.convert("RGB").resize((1640, 1232)).save(folder / "scene.jpg")
    for name, script in {"sudo": "", "rpicam-still": f'cp "{folder}/scene.jpg" "${{@: -1}}"'}.items():
        (folder / name).write_text(f"#!/bin/bash\n{script}\n")
        (folder / name).chmod(0o755)
