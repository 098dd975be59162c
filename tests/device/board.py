"""Emulated boards, set up as docs/raspberry-pi.md says: a virtual environment, and our wheel installed by its pip."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

from tests.device import emulator
from tests.device.emulator import BOOKWORM, BOOKWORM_32, TRIXIE, System

CONSTRAINTS = Path(__file__).parents[2] / "constraints.txt"


@dataclass(frozen=True)
class Board:
    """A computer with one interpreter.

    Attributes:
        name: of the computer.
        cpu: its processor, in qemu's words.
        machine: its processor, in Python's words.
        system: what it runs.
        extra: of edgecnn, that installs the interpreter.
        interpreter: the one that it installs.
    """

    name: str
    cpu: str
    machine: str
    system: System
    extra: str
    interpreter: str

    def __str__(self) -> str:
        return f"{self.name}-{self.system.name}-{self.extra}"

    @property
    def format(self) -> str:
        """Of the model files that it runs."""
        return "onnx" if self.extra == "onnx" else "tflite"

    @property
    def environment(self) -> Path:
        """The virtual environment; boards that differ in the processor alone share it."""
        return emulator.folder() / f"{self.system.name}-{self.extra}"

    def run(self, *command: str | Path, cwd: Path, paths: tuple[Path, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment. ``paths`` are where Python looks for more packages."""
        program, *arguments = map(str, command)
        return subprocess.run(
            [str(self.environment / "bin" / program), *arguments],
            cwd=cwd,
            env=self.variables | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
            capture_output=True,
            text=True,
            timeout=3600,
            check=False,
        )

    @property
    def variables(self) -> dict[str, str]:
        """The environment variables with which a program of the board is started, by qemu or by another one."""
        path = f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return dict(os.environ) | {"QEMU_CPU": self.cpu, "PATH": path, "PYTHONNOUSERSITE": "1"}

    def install(self, wheel: Path) -> None:
        """Install our wheel, and with it what it needs unless that is there already."""
        root = emulator.root(self.system)
        key, ready = self._key(wheel), self.environment / "ready"
        made = ready.exists() and ready.read_text() == key
        # Written last, so that what an interruption left is made from nothing the next time.
        ready.unlink(missing_ok=True)
        if made:
            self._pip(root, "--force-reinstall", "--no-deps", wheel)
        else:
            shutil.rmtree(self.environment, ignore_errors=True)
            # Debian's own numpy and Pillow are the only ones for 32-bit ARM.
            flags, pins = (["--system-site-packages"], []) if self.system.packages else ([], ["-c", str(CONSTRAINTS)])
            self._succeed(root / "usr/bin/python3", "-m", "venv", *flags, self.environment)
            self._pip(root, *pins, f"{wheel}[{self.extra}]")
        ready.write_text(key)

    def _key(self, wheel: Path) -> str:
        """Changes with anything that the environment was made of, but for the code in the wheel."""
        with zipfile.ZipFile(wheel) as archive:
            (name,) = (each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
            needs = re.findall(r"^Requires-Dist: .*$", archive.read(name).decode(), re.MULTILINE)
        return hashlib.sha256("\n".join([self.environment.name, *needs, CONSTRAINTS.read_text()]).encode()).hexdigest()

    def _pip(self, root: Path, *arguments: str | Path) -> None:
        # pip looks into Python's file for the processor that it is made for. Ours is a script that starts qemu.
        python, programs = self.environment / "bin/python3", root / "usr/bin"
        elf = programs / self.system.python
        _link(python, elf)
        try:
            self._succeed(
                emulator.emulator(self.system), "-0", python, "-L", root, elf, "-m", "pip", "install", *arguments
            )
        finally:
            _link(python, programs / "python3")

    def _succeed(self, program: Path, *arguments: str | Path) -> None:
        ended = self.run(program, *arguments, cwd=self.environment.parent)
        assert ended.returncode == 0, f"{program} {arguments}: {ended.stdout[-2000:]}{ended.stderr[-2000:]}"


def _link(name: Path, target: Path) -> None:
    name.unlink(missing_ok=True)
    name.symlink_to(target)


def _boards(name: str, cpu: str, machine: str, system: System, *extras: str) -> list[Board]:
    interpreters = {"litert": "litert", "tflite": "tflite-runtime", "onnx": "onnxruntime"}
    return [Board(name, cpu, machine, system, extra, interpreters[extra]) for extra in extras]


BOARDS = [
    *_boards("pi4", "cortex-a72", "aarch64", BOOKWORM, "litert", "tflite", "onnx"),
    *_boards("pi5", "cortex-a76", "aarch64", BOOKWORM, "litert", "tflite", "onnx"),
    *_boards("pi5", "cortex-a76", "aarch64", TRIXIE, "litert", "onnx"),
    *_boards("pi2", "cortex-a7", "armv7l", BOOKWORM_32, "tflite"),
]
