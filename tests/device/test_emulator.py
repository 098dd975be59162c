"""Where the emulator cannot be had, it says so; CI then goes on without it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_computer_without_apt(tmp_path: Path) -> None:
    folder = tmp_path / "arm"
    ended = subprocess.run(
        [sys.executable, "-m", "tests.device.emulator"],
        cwd=ROOT,
        env=dict(os.environ) | {"PATH": str(tmp_path), "EDGECNN_ARM": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == "the ARM emulator cannot be installed: there is no apt-config here\n"
    assert list(folder.iterdir()) == []
