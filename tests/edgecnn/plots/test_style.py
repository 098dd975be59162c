"""One style: no figure is made or written anywhere else."""

from __future__ import annotations

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
