"""The one style of every figure: colour-blind safe, labelled axes, readable at half size."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from edgecnn_export import markdown

BLUE, ORANGE, GREEN, RED = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#B3261E",
)  # from Okabe and Ito's palette, 2008, and a darker red

INK, QUIET, LINES = "#111111", "#666666", "#DDDDDD"
"""Of what stands on the bare page: letters and axes, what leads to them, the grid."""

SIGNED = "PuOr_r"
"""Colours of values on both sides of zero, which is white: orange above, purple below (Brewer, 2003)."""

AMOUNT = "viridis"
"""Colours of values from zero up, dark to bright, in grey too (Smith and van der Walt, 2015)."""

PRINT: Any = {"savefig.dpi": 300}
"""For figures made of pictures: as many dots an inch as print has."""

SHEET = 8.0, 7.0
"""Width and height in inches of all figures that go on a contact sheet."""

_STYLE: Any = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": LINES,
    **dict.fromkeys(("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), INK),
    "lines.linewidth": 2,
    "savefig.dpi": 120,
    "figure.constrained_layout.use": True,
}

# Letters stay letters, for the page has its own, and whatever is behind it is to be seen.
_ON_A_PAGE: Any = {"svg.fonttype": "none", "svg.hashsalt": "edgecnn", "savefig.transparent": True}


@contextmanager
def on_a_page() -> Iterator[None]:
    """SVG figures made in here are for a page that has letters and colours of its own."""
    with mpl.rc_context(_ON_A_PAGE):
        yield


@contextmanager
def drawn(path: Path, width: float, height: float, changes: Any = None) -> Iterator[Figure]:
    """An empty figure of that size in inches, which is written to ``path`` once it is filled."""
    with mpl.rc_context(_STYLE | (changes or {})), warnings.catch_warnings():
        # A letter that no font here has is drawn as an empty box.
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure = Figure(figsize=(width, height))
        yield figure
        figure.savefig(path)


def plain(label: str) -> str:
    """The label in one line: two dollar signs would make a formula of it, and SVG knows no control characters."""
    return markdown.plain(label).replace("$", r"\$")


def short(label: str) -> str:
    """The label, cut to what fits above one of five columns."""
    return plain(label if len(label) <= 16 else f"{label[:15]}…")
