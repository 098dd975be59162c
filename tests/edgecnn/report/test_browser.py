"""The page in a real browser: by day, by night, and on a telephone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.edgecnn.report import browser
from tests.edgecnn.report.browser import Browser
from tests.edgecnn.report.read import Page

WIDE, TELEPHONE = 1200, 390

BACKGROUND = "getComputedStyle(document.body).backgroundColor"
OF_FIGURES = """[...document.querySelectorAll('svg')].map(each => {
  const box = each.getBoundingClientRect(), letters = each.querySelector('text').getBoundingClientRect()
  return [each.dataset.figure, box.width, box.height, letters.height]
})"""
OF_PICTURES = "[...document.images].map(each => [each.complete, each.naturalWidth, each.getBoundingClientRect().width])"
TOO_WIDE = """[...document.querySelectorAll('body *')].filter(each => {
  const scrolled = each.closest('.scroll, pre, .card table')
  return each.getBoundingClientRect().right > innerWidth + 1 && (!scrolled || scrolled === each)
}).map(each => each.outerHTML.slice(0, 200))"""
COLOUR = "getComputedStyle(document.querySelector('svg text')).fill"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    try:
        browser.program()
    except browser.Unavailable as problem:
        pytest.skip(str(problem))
    with browser.opened() as opened:
        yield opened


@pytest.mark.parametrize("dark", [False, True], ids=["day", "night"])
@pytest.mark.parametrize("width", [WIDE, TELEPHONE])
def test_everything_is_there_and_nothing_complains(chromium: Browser, page: Page, width: int, dark: bool) -> None:
    chromium.open(page.path, width, dark=dark)
    chromium.ask("document.querySelectorAll('details').forEach(each => { each.open = true })")
    figures: list[Any] = chromium.ask(OF_FIGURES)
    assert [name for name, *_ in figures] == [name for names in page.figures.values() for name in names]
    assert len(figures) == 4
    for name, wide, high, letters in figures:
        assert min(wide, high) > 150, name
        assert letters >= 8, f"letters of {name} cannot be read"
    pictures: list[Any] = chromium.ask(OF_PICTURES)
    assert len(pictures) == sum(map(len, page.pictures.values())) > 30
    assert all(complete and pixels > 0 and wide > 50 for complete, pixels, wide in pictures)
    assert chromium.ask("document.documentElement.scrollWidth") <= width
    assert chromium.ask(TOO_WIDE) == []
    assert chromium.complaints() == []
    assert [each for each in chromium.requested() if not each.startswith("data:")] == [page.path.as_uri()]


def test_day_and_night(chromium: Browser, page: Page) -> None:
    colours = []
    for dark in (False, True):
        chromium.open(page.path, dark=dark)
        colours.append((brightness(chromium.ask(BACKGROUND)), brightness(chromium.ask(COLOUR))))
    (page_by_day, letters_by_day), (page_by_night, letters_by_night) = colours
    assert page_by_day - letters_by_day > 150
    assert letters_by_night - page_by_night > 150


def test_letters_of_the_charts_stand_out(chromium: Browser, page: Page, tmp_path: Path) -> None:
    """What is drawn, not what the style says: the figure has dark and bright pixels by day and by night."""
    for dark in (False, True):
        chromium.open(page.path, dark=dark)
        chromium.picture(tmp_path / "page.png")
        left, top, wide, high = chromium.ask(
            "(box => [box.left + scrollX, box.top + scrollY, box.width, box.height])"
            "(document.querySelector('svg').getBoundingClientRect())"
        )
        with Image.open(tmp_path / "page.png") as whole:
            assert whole.width == WIDE
            figure = whole.crop((int(left), int(top), int(left + wide), int(top + high))).convert("L")
        assert np.ptp(np.asarray(figure)) > 180


def test_the_contents_lead_there(chromium: Browser, page: Page) -> None:
    chromium.open(page.path)
    links = chromium.ask("document.querySelectorAll('nav a').length")
    assert links > 5
    for number in range(links):
        link = f"document.querySelectorAll('nav a')[{number}]"
        place = chromium.ask(f"(link => (link.click(), document.querySelector(link.hash).id))({link})")
        assert chromium.ask("location.hash") == f"#{place}"


def test_the_tests_see_what_is_wrong(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "page.html").write_text(
        "<!DOCTYPE html><body><img src='none.png'><script>console.error('no')</script><p style='width: 2000px'>wide</p>"
    )
    chromium.open(tmp_path / "page.html")
    assert any("no" in each for each in chromium.complaints())
    assert any("none.png" in each for each in chromium.requested())
    assert chromium.ask(TOO_WIDE)
    assert chromium.ask("document.documentElement.scrollWidth") > WIDE
    assert chromium.ask(OF_PICTURES)[0][1] == 0


def brightness(colour: str) -> float:
    """0 to 255, of ``rgb(r, g, b)``."""
    return sum(map(float, colour.partition("(")[2].rstrip(")").split(",")[:3])) / 3
