"""Figures and pictures as parts of a page."""

from __future__ import annotations

import re
from functools import partial
from xml.etree import ElementTree

import numpy as np

from edgecnn import plots
from edgecnn.plots import style
from edgecnn.report.figures import inline
from edgecnn.report.pictures import address, heated
from tests.edgecnn.report.read import pixels

HISTORY = [{"epoch": float(epoch), "loss": 2.0 / epoch, "accuracy": epoch / 5} for epoch in range(1, 4)]
DRAW = partial(plots.curve, history=HISTORY, key="loss", watched="validation")


def test_a_figure_is_a_part_of_the_page() -> None:
    figure = inline("here", 'what it "shows"', DRAW)
    root = ElementTree.fromstring(figure)
    assert root.tag == "svg"
    assert (root.get("role"), root.get("aria-label"), root.get("data-figure")) == ("img", 'what it "shows"', "here")
    assert not {"metadata", "style", "script"} & {each.tag for each in root.iter()}
    assert "http" not in figure
    names = [each.get("id", "") for each in root.iter() if each.get("id")]
    assert all(name.startswith("here-") for name in names)
    used = re.findall(r'(?:url\(|href=")#([^)"]+)', figure)
    assert used
    assert set(used) <= set(names)
    assert "Epoch" in {each.text for each in root.iter("text")}


def test_its_colours_are_the_pages() -> None:
    figure = inline("here", "", DRAW)
    for colour in (style.INK, style.LINES, style.BLUE, style.ORANGE):
        assert colour.lower() not in figure
    assert {"var(--ink)", "var(--lines)", "var(--blue)"} <= set(re.findall(r"var\(--\w+\)", figure))


def test_two_figures_share_no_names() -> None:
    one, other = (set(re.findall(r'id="([^"]+)"', inline(name, "", DRAW))) for name in ("a", "b"))
    assert one
    assert not one & other


def test_the_same_figure_is_the_same_text() -> None:
    assert inline("a", "", DRAW) == inline("a", "", DRAW)


def test_a_small_picture_is_kept_exactly_and_a_large_one_small() -> None:
    random = np.random.default_rng(1)
    small, large = (random.integers(0, 256, (side, side, 3), np.uint8) for side in (64, 500))
    np.testing.assert_array_equal(pixels(address(small)), small)
    assert pixels(address(large)).shape == (192, 192, 3)
    assert pixels(address(large[:, :250])).shape == (192, 96, 3)


def test_heat_is_brightest_where_the_map_is() -> None:
    grey = np.full((32, 32, 3), 100, np.uint8)
    heat = np.zeros((4, 4), np.float32)
    heat[3, 0] = 7
    shown = heated(grey, heat).astype(int)
    assert shown.shape == (96, 96, 3)
    brightness = shown.sum(-1)
    row, column = np.unravel_index(brightness.argmax(), brightness.shape)
    assert row > 70
    assert column < 25
    assert abs(shown[:40, 60:] - shown[0, -1]).max() == 0, "elsewhere it is nowhere brighter than anywhere"


def test_a_map_of_nothing_is_no_division_by_nothing() -> None:
    shown = heated(np.full((200, 120, 3), 100, np.uint8), np.zeros((2, 2), np.float32))
    assert shown.shape == (200, 120, 3)
    assert len(np.unique(shown.reshape(-1, 3), axis=0)) == 1
