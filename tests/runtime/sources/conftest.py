"""A folder to stand in, with pictures of one colour each."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("red.png", "day/1.jpg", "day/2.JPEG", "day/night/3.webp", "day/.hidden.png", "day/.cache/4.png"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), "red").save(name)
    Path("day/notes.txt").write_text("not a picture")
    Path("empty").mkdir()
    return tmp_path
