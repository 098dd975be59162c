"""Labels, file names and all that files say may be anything: on the page it is text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.cli.main import run
from edgecnn_runtime import container
from tests.edgecnn.report.read import Page

TINY = Path(__file__).parents[2] / "runtime" / "data"
EVIL = ('"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}]]><svg onload=alert(2)>", "<b>$x$ & $y$</b>")
"""Labels; what cannot be seen is refused in those of photographs."""

SCRIPT, SHOWN = "<script>\u202ealert(3)\x1b[2J</script>", "<script> alert(3) [2J</script>"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Page:
    here, files = tmp_path_factory.mktemp("hostile"), []
    for name in ("tiny-int8.tflite", "tiny-fp32.onnx"):
        data = (TINY / name).read_bytes()
        contract, size = container.parse(data)
        everywhere: dict[str, Any] = dict.fromkeys(("model", "author", "license"), SCRIPT)
        changed = replace(
            contract, labels=EVIL, training={"</td><script>": SCRIPT}, tools={SCRIPT: SCRIPT}, **everywhere
        )
        files.append(here / f"'><script>{name}")
        files[-1].write_bytes(container.embed(data[:size], changed))
    photos = here / "photos"
    photos.mkdir()
    names = []
    for label, name in enumerate(EVIL):
        for number in range(10):
            pixel = np.zeros(3, np.uint8)
            pixel[(label + number // 9) % 3] = 150 + number
            file = photos / f"{label}-{number}.png"
            Image.fromarray(np.full((4, 4, 3), pixel)).save(file)
            quoted = name.replace('"', '""')
            names.append(f'{file.name},"{quoted}"')
    listing = photos / "list.csv"
    listing.write_text("path,label\n" + "\n".join(names) + "\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(here / "cache"))
        words = ["report", *map(str, files), "--data", str(listing), "-o", str(here / "page.html"), "--rounds", "1"]
        assert run(words) == 0
    return Page(here / "page.html")


def test_nothing_becomes_markup(page: Page) -> None:
    tags = {tag for tag, _ in page.tags}
    assert not {"script", "iframe", "form"} & tags
    assert {tag for tag, each in page.tags if any(name.startswith("on") for name in each)} == set()
    assert all(each["src"].startswith("data:image/webp;base64,") for tag, each in page.tags if tag == "img")
    assert len(page.figures) == 2, "the confusion matrix and the benchmark"


def test_everything_can_be_read(page: Page) -> None:
    for label in EVIL:
        assert [label] == [cells[0] for cells in page.rows["n1-classes"] if cells[0] == label]
        assert page.text["n1-classes"].count(label) >= 3, "in the table, and in the figure on both sides"
        assert label in page.text["n1-predictions"]
    assert page.text["n1-recipe"].count(SHOWN) == 2, "the network's name, and what it says of its training"
    assert "'><script>tiny-fp32.onnx" in page.text["n1-parity"]
    assert "49]]" not in page.path.read_text()
    assert all(each.isprintable() or each == "\n" for each in page.path.read_text())
