"""One style: no figure is made or written anywhere else."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

import edgecnn
from edgecnn.plots import style

PACKAGE = Path(edgecnn.__file__).parent


@pytest.mark.parametrize("words", ["savefig(", "Figure(figsize", "rc_context(", "rcParams", "pyplot"])
def test_only_the_style_makes_figures(words: str) -> None:
    found = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if words in path.read_text()}
    assert found <= {Path("plots/style.py")}


def test_a_figure_has_its_size_and_its_dots(path: Path) -> None:
    for changes, dots in ((None, 120), (style.PRINT, 300)):
        with style.drawn(path, 2, 1, changes):
            pass
        with Image.open(path) as picture:
            assert picture.size == (2 * dots, dots)


def test_nothing_is_written_of_a_figure_that_fails(path: Path) -> None:
    with pytest.raises(ValueError, match="on the way"), style.drawn(path, 2, 1):
        raise ValueError("on the way")
    assert not path.exists()


def test_colours_differ_for_every_eye() -> None:
    # Machado et al., 2009: no green cones, and no red cones. Where blue ones are missing, the marker's shape tells.
    eyes = (
        [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
        [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    )
    colours = np.array([to_rgb(each) for each in (style.BLUE, style.ORANGE, style.GREEN, style.RED)])
    for eye in eyes:
        seen = colours @ np.array(eye).T
        distances = np.linalg.norm(seen[:, None] - seen, axis=-1)[np.triu_indices(len(seen), 1)]
        assert distances.min() > 0.2


def test_what_stands_on_the_page_has_the_colours_of_the_style(path: Path) -> None:
    """A page by night changes these and no others."""
    with style.drawn(path.with_suffix(".svg"), 4, 3) as figure:
        axis = figure.subplots()
        axis.plot([1, 2], [1, 2], color=style.BLUE, label="a")
        axis.set(xlabel="x", ylabel="y", title="title")
        axis.legend(frameon=False)
        figure.suptitle("all")
    text = path.with_suffix(".svg").read_text()
    found = set(re.findall(r"#[0-9a-f]{6}\b", text.partition("<metadata>")[0] + text.partition("</metadata>")[2]))
    assert found == {each.lower() for each in (style.INK, style.LINES, style.BLUE, "#ffffff")}


def test_for_a_page_letters_are_letters_and_nothing_is_behind(path: Path) -> None:
    with style.on_a_page(), style.drawn(path.with_suffix(".svg"), 4, 3) as figure:
        figure.suptitle("some words")
    text = path.with_suffix(".svg").read_text()
    assert ">some words</text>" in text
    assert "#ffffff" not in text
    with style.drawn(path.with_suffix(".svg"), 4, 3) as figure:
        figure.suptitle("some words")
    assert "<text" not in path.with_suffix(".svg").read_text()


def test_a_label_is_one_line_of_what_can_be_seen() -> None:
    assert style.plain("a\n $b$\x1b[2J\u202e") == r"a \$b\$ [2J"
