"""The bar of long work."""

from __future__ import annotations

import sys
import time

import pytest

from edgecnn.cli.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What the clock says, to be set."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_it_appears_after_a_second_and_goes(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with Progress(1000, wanted=True) as progress:
        for _ in range(249):
            progress.step()
        progress.clear()
        assert capsys.readouterr() == ("", "")
        clock[0] += 2
        progress.step()
        assert capsys.readouterr().err == ("\r[######..................] 250 of 1,000  125.0/s  6 s left\x1b[K")
        clock[0] += 0.05
        progress.step()
        assert capsys.readouterr().err == ""
        clock[0] += 0.1
        progress.give_way()  # to lines that go elsewhere
        assert capsys.readouterr().err == ""
        progress.step()
        assert "252 of 1,000" in capsys.readouterr().err
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        progress.give_way()
        assert capsys.readouterr().err == "\r\x1b[K"
        progress.step()
        assert "253 of 1,000" in capsys.readouterr().err
    assert capsys.readouterr().err == "\r\x1b[K"


def test_what_nobody_can_count(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress(None, wanted=True)
    clock[0] += 4
    progress.step()
    assert capsys.readouterr().err == "\r1 pictures  0.2/s\x1b[K"


def test_more_than_was_announced(
    clock: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    progress = Progress(1, wanted=True)
    progress.step()
    clock[0] += 4
    progress.step()
    assert capsys.readouterr().err == "\r2 pictures  0.5/s\x1b[K"


def test_a_terminal_that_was_closed(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    def closed(text: str) -> int:
        tried.append(text)
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setattr(sys.stderr, "write", closed)
    with Progress(10, wanted=True) as progress:
        clock[0] += 4
        progress.step()
    assert len(tried) == 2


def test_nobody_to_see_it(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(10, wanted=True)
    clock[0] += 4
    progress.step()
    progress.clear()
    assert capsys.readouterr() == ("", "")
