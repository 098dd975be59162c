"""Labels and file names come from anywhere: no command lets them drive a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.cli import tables
from edgecnn.cli.console import json_text
from edgecnn.cli.main import run
from edgecnn_runtime import container, sheet
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.contract import Golden

TINY = Path(__file__).parents[1] / "runtime" / "data"
IMAGES = np.random.default_rng(3).integers(0, 256, (4, 4, 4, 3), dtype=np.uint8)
EVIL = (
    "\x1b[2J\x1b]0;title\x07\x1bP+q\x1b\\",  # clear, set the title, ask the terminal
    "cat\rdog\x08\x08\x08\x7f\x9b31m\n  frog  99.9%",  # overwrite, erase, C1's own escape, a line of its own
    "\u202egnp.tac\u2066\u200b\u200d\ufeff\u2028",  # turned round, without width, a line of Unicode's
)


@pytest.fixture(params=["tiny-int8.tflite", "tiny-fp32.onnx"])
def hostile(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A sound model with such labels and such a name, and golden pictures with answers of others."""
    path = TINY / str(request.param)
    data = path.read_bytes()
    contract, size = container.parse(data)
    opened = Classifier.open(path)
    rows = tuple(map(tuple, opened.scores(IMAGES)[:, ::-1].round(4).tolist()))
    golden = Golden(4, sheet.pack_text(IMAGES), rows, {f"{opened.backend.name}\x1b[2J": rows})
    evil: dict[str, Any] = dict.fromkeys(("model", "output", "author", "license"), EVIL[0])
    changed = replace(
        contract, labels=EVIL, golden=golden, training={EVIL[1]: EVIL[0]}, tools={EVIL[2]: EVIL[1]}, **evil
    )
    target = tmp_path / f"model\x1b[2J\u202e\x7f{path.suffix}"
    target.write_bytes(container.embed(data[:size], changed))
    return target


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["classify", "PICTURES", "--model", "MODEL"], 1),
        (["classify", "PICTURES", "--model", "MODEL", "--json"], 1),
        (["classify", "PICTURES", "--model", "MODEL", "--csv", "--timing"], 1),
        (["classify", "PICTURES", "--model", "MODEL", "--quiet"], 1),
        (["classify", "PICTURES", "--model", "MODEL", "--annotate", "PICTURES/out"], 1),
        (["verify", "MODEL"], 1),
        (["verify", "MODEL", "--json"], 1),
        (["info", "MODEL"], 0),
        (["info", "MODEL", "--json"], 0),
        (["info", "MODEL", "--card"], 0),
        (["evaluate", "MODEL", "--data", "CLASSES"], 1),
        (["evaluate", "MODEL"], 1),
        (["benchmark", "MODEL", "--rounds", "1", "--threads", "1"], 0),
        (["benchmark", "MODEL", "--data", "CLASSES"], 1),
        (["inspect", "MODEL", "PICTURES/a\x1b[2Jb.png", "--out", "PICTURES/out"], 0),
        (["report", "MODEL", "--rounds", "1", "--out", "PICTURES/a\x1b[2Jb.html"], 0),
        (["report", "MODEL", "--data", "CLASSES", "--out", "PICTURES/out.html"], 1),
        (["classify", "PICTURES", "--model", "MODEL.none"], 1),
    ],
)
def test_nothing_that_is_printed_steers(
    hostile: Path, words: list[str], status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pictures = tmp_path / "pictures\x1b[2J"
    pictures.mkdir()
    for name in ("a\x1b[2Jb.png", "c\u202ed\n.png"):
        Image.fromarray(IMAGES[0]).save(pictures / name, "PNG")
    (pictures / "e\x9b.png").write_bytes(b"\x1b[2J")
    classes = tmp_path / "classes\x1b[2J"
    for label in ("cat\x1b[2J", "\u202edog"):
        (classes / label).mkdir(parents=True)
        Image.fromarray(IMAGES[0]).save(classes / label / "a.png")
    places = {"PICTURES": str(pictures), "CLASSES": str(classes), "MODEL": str(hostile)}
    for word, place in places.items():
        words = [each.replace(word, place) for each in words]
    assert run(words) == status
    out, err = capsys.readouterr()
    assert out + err
    for line in (out + err).split("\n"):
        assert line.replace("\t", "").isprintable(), line


def test_a_table_of_anything(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show(("file", "n"), [(EVIL[1], "1"), ("b", "2")], text_columns=1)
    first, second, third = capsys.readouterr().out.splitlines()
    assert second.isprintable()
    assert len(first) == len(second) == len(third)


def test_json_keeps_everything() -> None:
    for indent in (None, 2):
        text = json_text({"labels": EVIL}, indent)
        assert all(line.isprintable() and line.isascii() for line in text.split("\n"))
        assert json.loads(text)["labels"] == list(EVIL)
