"""An interrupted installation on an emulated board spoils no later one. The emulator and pip are stood in for."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from tests.device import emulator
from tests.device.board import BOARDS, Board

BOARD = BOARDS[0]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """What an installation reads of one."""
    path = tmp_path / "edgecnn-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("edgecnn-1.dist-info/METADATA", "Requires-Dist: numpy\n")
    return path


class Pip:
    """Does what the board's Python would.

    Attributes:
        installed: what it was asked for, by the word after ``pip install``.
        stops: whether it is interrupted.
    """

    def __init__(self, programs: Path) -> None:
        self.programs = programs
        self.installed: list[str] = []
        self.stops = False

    def run(self, board: Board, program: Path, *arguments: str | Path) -> None:
        python = board.environment / "bin/python3"
        if "venv" in arguments:
            python.parent.mkdir(parents=True)
            python.symlink_to(program)
            return
        assert python.readlink() == self.programs / "python3.11"
        self.installed.append(str(arguments[arguments.index("install") + 1]))
        if self.stops:
            raise KeyboardInterrupt


@pytest.fixture
def pip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pip:
    """Stands for the programs of the board."""
    system = tmp_path / "system"
    pip = Pip(system / "usr/bin")

    def succeed(board: Board, program: Path, *arguments: str | Path) -> None:
        pip.run(board, program, *arguments)

    monkeypatch.setenv("EDGECNN_ARM", str(tmp_path / "arm"))
    monkeypatch.setattr(emulator, "root", lambda _: system)
    monkeypatch.setattr(emulator, "emulator", lambda _: tmp_path / "qemu")
    monkeypatch.setattr(Board, "_succeed", succeed)
    return pip


def test_only_the_wheel_is_installed_again(wheel: Path, pip: Pip) -> None:
    BOARD.install(wheel)
    BOARD.install(wheel)
    assert pip.installed == ["-c", "--force-reinstall"]


def test_what_an_interruption_left_is_made_from_nothing(wheel: Path, pip: Pip) -> None:
    BOARD.install(wheel)
    pip.stops = True
    with pytest.raises(KeyboardInterrupt):
        BOARD.install(wheel)
    (BOARD.environment / "half").touch()
    pip.stops = False
    BOARD.install(wheel)
    assert pip.installed == ["-c", "--force-reinstall", "-c"]
    assert not (BOARD.environment / "half").exists()


def test_python_is_the_script_again_whatever_a_killed_pip_left(wheel: Path, pip: Pip) -> None:
    BOARD.install(wheel)
    python = BOARD.environment / "bin/python3"
    python.unlink()
    python.symlink_to(pip.programs / "python3.11")
    BOARD.install(wheel)
    assert python.readlink() == pip.programs / "python3"
