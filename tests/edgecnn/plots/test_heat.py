"""Maps laid over a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgecnn import plots
from tests.edgecnn.plots.figures import shown

PICTURE = np.random.default_rng(2).integers(0, 256, (8, 12, 3), np.uint8)


def test_class_activation(path: Path) -> None:
    maps = np.zeros((2, 2, 3))
    maps[0, 1, 2] = 4
    maps[0, 0, 0] = 1
    figure = plots.class_activation(path, PICTURE, maps, ["cat 90%", "$dog$ 10%"], "title")
    first, cat, dog = (axis for axis in figure.axes if axis.get_images())
    np.testing.assert_array_equal(shown(first), PICTURE)
    assert [axis.get_title() for axis in (first, cat, dog)] == ["the picture", "cat 90%", r"\$dog\$ 10%"]
    grey, heat = cat.get_images()
    np.testing.assert_allclose(np.asarray(grey.get_array(), float), PICTURE @ np.array([0.299, 0.587, 0.114]))
    np.testing.assert_allclose(np.asarray(heat.get_array(), float), np.array([[0.25, 0, 0], [0, 0, 1.0]]))
    assert {tuple(each.get_extent()) for each in (grey, heat)} == {(-0.5, 11.5, 7.5, -0.5)}, "it covers the picture"
    assert np.asarray(heat.get_alpha()).argmax() == 5, "what matters most hides most of the picture"
    assert np.asarray(dog.get_images()[1].get_array()).max() == 0, "no evidence is no evidence"
    assert figure.axes[-1].get_ylabel() == "Evidence, of the map's largest"


def test_letters_that_no_font_has(path: Path) -> None:
    plots.class_activation(path, PICTURE, np.ones((1, 2, 3)), ["\U00012000\x1b[2J 90%"], "title")
    assert path.exists()


def test_hidden(path: Path) -> None:
    maps = np.zeros((1, 8, 12))
    maps[0, 3, 3], maps[0, 4, 4] = 0.2, -0.4
    figure = plots.hidden(path, PICTURE, maps, ["cat 90%"], "title")
    heat = figure.axes[1].get_images()[1]
    np.testing.assert_allclose(np.asarray(heat.get_array(), float), 100 * maps[0])
    assert heat.get_clim() == (-40, 40), "zero is in the middle"
    assert "(points)" in figure.axes[-1].get_ylabel()


def test_contact_sheet(path: Path) -> None:
    files = []
    for number in range(4):
        files.append(path.with_name(f"{number}.png"))
        plots.class_activation(files[-1], PICTURE, np.full((1, 2, 3), number + 1.0), [f"{number}"], "title")
    figure = plots.contact_sheet(path, files, "all")
    assert figure.get_suptitle() == "all"
    assert [len(axis.get_images()) for axis in figure.axes] == [1, 1, 1, 1]
