"""The forms of an answer, and what they do with names and labels from anywhere."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from edgecnn.cli import table_form
from edgecnn.cli.forms import Form, Found, as_json, as_labels, as_line, csv_form
from edgecnn_runtime import Prediction

FROG, BIRD = Prediction("frog", 6, 0.98765), Prediction("bird", 2, 0.0075)
TIMES = {"decode": 12.3456, "resize": 0.5, "inference": 100.0}
EVIL = 'a\x1b[2J\n\r\t"b\u202e,\udcff'


def found(
    *predictions: Prediction, name: str = "cam.jpg", times: dict[str, float] | None = None, annotated: str | None = None
) -> Found:
    return Found(name, list(predictions), times or {}, annotated)


def test_lines() -> None:
    assert as_line(found(FROG, BIRD)) == "cam.jpg\tfrog\t0.9877\tbird\t0.0075"
    assert as_line(found(FROG, times=TIMES)) == "cam.jpg\t12.346\t0.500\t100.000\tfrog\t0.9877"
    assert as_line(found()) == "cam.jpg"
    assert as_labels(found(FROG, BIRD)) == "frog\tbird"
    assert as_labels(found()) == ""


def test_json() -> None:
    text = as_json(found(FROG, name=EVIL, annotated="out/cam.jpg", times=TIMES))
    assert text.isascii()
    assert text.isprintable()
    assert json.loads(text) == {
        "file": EVIL,
        "predictions": [{"label": "frog", "index": 6, "score": 0.98765}],
        "milliseconds": TIMES,
        "annotated": "out/cam.jpg",
    }
    assert list(json.loads(as_json(found()))) == ["file", "predictions"]


def rows(form: Form, *pictures: Found) -> list[list[str]]:
    return list(csv.reader(StringIO("".join(form(each) + "\n" for each in pictures))))


def test_csv() -> None:
    assert rows(csv_form(), found(FROG, BIRD), found(name="a,b.jpg"), found(FROG, name='"q".jpg')) == [
        ["file", "rank", "label", "index", "score"],
        ["cam.jpg", "1", "frog", "6", "0.98765"],
        ["cam.jpg", "2", "bird", "2", "0.0075"],
        ["a,b.jpg", "", "", "", ""],
        ['"q".jpg', "1", "frog", "6", "0.98765"],
    ]
    assert rows(
        csv_form(), found(FROG, annotated="", times=TIMES), found(FROG, annotated="out/x.jpg", times=TIMES)
    ) == [
        ["file", "rank", "label", "index", "score", "decode_ms", "resize_ms", "inference_ms", "annotated"],
        ["cam.jpg", "1", "frog", "6", "0.98765", "12.346", "0.500", "100.000", ""],
        ["cam.jpg", "1", "frog", "6", "0.98765", "12.346", "0.500", "100.000", "out/x.jpg"],
    ]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-x.jpg", "@SUM(A1)"])
def test_no_formula_reaches_a_spreadsheet(text: str) -> None:
    (_, row) = rows(csv_form(), found(Prediction(text, 0, 0.5), name=text, annotated=text))
    assert [row[0], row[2], row[-1]] == [f"'{text}"] * 3


def test_standard_input_keeps_its_name() -> None:
    assert rows(csv_form(), found(FROG, name="-"))[1][0] == "-"


def test_nothing_steers_a_terminal() -> None:
    evil = found(Prediction(EVIL, 0, 0.5), name=EVIL, annotated=EVIL)
    tables = [table_form.table_form([EVIL], 1, 0, False, several) for several in (True, False)]
    for form in (as_line, as_labels, csv_form(), *tables):
        for line in form(evil).split("\n"):
            assert all(each.isprintable() for each in line.split("\t"))
            line.encode()


def test_a_block() -> None:
    form = table_form.table_form(["frog", "automobile"], 3, 0.505, False, False)
    assert form(found(FROG, BIRD)) == "cam.jpg\n  frog         98.8%\n  bird          0.8%"
    assert form(found(FROG, times=TIMES)).splitlines()[-1] == "  decode 12.35 ms, resize 0.50 ms, inference 100.00 ms"
    assert form(found()) == "cam.jpg\n  none at 50.5%"


def test_a_table_has_a_line_a_picture() -> None:
    form = table_form.table_form(["frog", "automobile"], 2, 0.25, False, True)
    table = [form(found(FROG, BIRD)), form(found(FROG, name="b.jpg")), form(found(name="c.jpg"))]
    assert "\n".join(table).splitlines() == [
        "label        score  label        score  picture",
        "frog         98.8%  bird          0.8%  cam.jpg",
        "frog         98.8%                      b.jpg",
        "none at 25%                             c.jpg",
    ]
    timed = table_form.table_form(["frog", "automobile"], 1, 0, True, True)
    assert timed(found(FROG, times=TIMES)).splitlines() == [
        "label        score  decode ms  resize ms  inference ms  picture",
        "frog         98.8%      12.35       0.50        100.00  cam.jpg",
    ]


def test_what_does_not_fit_the_terminal_is_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    labels = ["frog", "x" * 60]
    width = 2 * (table_form.LABEL_WIDTH + 10) + 20
    monkeypatch.setattr(table_form, "_terminal_width", lambda: width)
    wide = table_form.table_form(labels, 2, 0, False, True)
    text = wide(found(FROG, Prediction("x" * 60, 1, 0.01)))
    assert "x" * 37 + "...    1.0%  cam.jpg" in text
    monkeypatch.setattr(table_form, "_terminal_width", lambda: width - 1)
    narrow = table_form.table_form(labels, 2, 0, False, True)
    assert narrow(found(FROG, Prediction("x" * 60, 1, 0.01))).count("\n") == 2
