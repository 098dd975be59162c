"""docs/inspect.md is true: its commands print what stands there, and make the files."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from edgecnn.cli.main import program
from edgecnn.models import carried

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "inspect.md").read_text()
EXAMPLES = [block.strip() for block in re.findall(r"```console\n\$ (.*?)```", PAGE, re.DOTALL)]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.partition("\n")[0])
def test_the_page_shows_what_is_printed(example: str, tmp_path: Path) -> None:
    command, _, shown = example.partition("\n")
    for name in ("models", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(carried("tflite"), tmp_path / "edge-s-int8.tflite")
    words = [sys.executable, "-m", *shlex.split(command)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=True
    )
    assert rough(ended.stdout) == rough(shown)
    assert not ended.stderr
    for line in ended.stdout.splitlines():
        assert (tmp_path / line.partition(": ")[0]).read_bytes().startswith(b"\x89PNG")


def rough(text: str) -> list[str]:
    """Lines without the probabilities, and the labels behind the first, which are the machine's."""
    return [re.sub(r" [\d.]+%.*", "", line) for line in text.splitlines()]


def test_every_option_and_picture_is_on_the_page() -> None:
    (command,) = typer.main.get_command(program("inspect")).commands.values()  # type: ignore[attr-defined]
    options = {each.opts[0] for each in command.params} - {"words", "--help"}
    assert len(options) == 7
    assert not {each for each in options if each not in PAGE}
    pictures = re.findall(r"\((pictures/[\w-]+\.(?:png|webp))\)", PAGE)
    assert len(pictures) > 8
    assert all((ROOT / "docs" / each).exists() for each in pictures)
    assert "(docs/inspect.md)" in (ROOT / "README.md").read_text()
