"""What goes to the terminal beside the results."""

from __future__ import annotations

import sys

import pytest

from edgecnn.cli.console import decoding, json_text, measuring, printable, say, tell


def test_nothing_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert printable("caf\u00e9 \x1b[2J\n") == "caf\u00e9 \\x1b[2J\\n"
    say("skipped a\x1b.jpg")
    tell("recipe a\x1b[2J")
    assert capsys.readouterr() == ("recipe a\\x1b[2J\n", "skipped a\\x1b.jpg\n")


def test_json_is_json() -> None:
    value = {"NaN": float("nan"), "b": [float("-inf"), 1.5, "Infinity\x7f"]}
    assert json_text(value) == '{"NaN": null, "b": [null, 1.5, "Infinity\\u007f"]}'


def test_a_line_takes_the_place_of_a_passing_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    measuring(0, 1)
    say("error: interrupted")
    assert capsys.readouterr().err == "\r\x1b[Kmeasuring: 0 of 1\r\x1b[Kerror: interrupted\n"


def test_the_work_goes_on_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def closed(_: str) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "write", closed)
    say("error: none.png: no such file; check the path")
    measuring(3, 24)


def test_the_decoding_is_shown_on_a_terminal_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    decoding(128, 5000)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    decoding(128, 5000)
    assert capsys.readouterr() == ("", "\r\x1b[Kdecoding photographs: 128 of 5,000")
    decoding(5000, 5000)
    assert capsys.readouterr() == ("", "\r\x1b[K")
    measuring(3, 24)
    assert capsys.readouterr() == ("", "\r\x1b[Kmeasuring: 3 of 24")
