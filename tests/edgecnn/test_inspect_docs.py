"""docs/inspect.md is true: its commands print what stands there, and make the files."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from edgecnn.cli.main import program
from edgecnn.models import carried
from tests.pages import DOCS, ROOT, Example, examples, pictures, rewrite, without_scores

FILE = DOCS / "inspect.md"
PAGE = FILE.read_text()


@pytest.mark.parametrize("example", examples(PAGE), ids=lambda example: example.command)
def test_the_page_shows_what_is_printed(example: Example, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    for name in ("models", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copy(carried("tflite"), tmp_path / "edge-s-int8.tflite")
    words = [sys.executable, "-m", *shlex.split(example.command)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    ended = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=240, check=True
    )
    if request.config.getoption("--rewrite-pages"):
        rewrite(FILE, example, ended.stdout)
        return
    assert without_scores(ended.stdout) == without_scores(example.shown)
    assert not ended.stderr
    for line in ended.stdout.splitlines():
        assert (tmp_path / line.partition(": ")[0]).read_bytes().startswith(b"\x89PNG")


def test_every_option_and_picture_is_on_the_page() -> None:
    (command,) = typer.main.get_command(program("inspect")).commands.values()  # type: ignore[attr-defined]
    options = {each.opts[0] for each in command.params} - {"words", "--help"}
    assert len(options) == 7
    assert not {each for each in options if each not in PAGE}
    shown = pictures(PAGE)
    assert len(shown) == 8
    assert all(each.exists() for each in shown)
    assert "(docs/inspect.md)" in (ROOT / "README.md").read_text()
