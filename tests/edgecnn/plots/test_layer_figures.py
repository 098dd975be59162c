"""Filters and feature maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgecnn import plots
from tests.edgecnn.plots.figures import shown

RANDOM = np.random.default_rng(1)


def test_filters_on_a_picture_are_pictures_with_grey_for_nothing(path: Path) -> None:
    weights = np.zeros((3, 3, 3, 5))
    weights[0, 0, :, 2] = [1, -1, 0.5]
    figure = plots.filters(path, weights, "conv")
    assert figure.get_suptitle() == "conv: 5 filters of 3 x 3, in colour"
    drawn = [shown(axis) for axis in figure.axes if axis.get_images()]
    assert len(drawn) == 5
    np.testing.assert_allclose(drawn[2][0, 0], [1, 0, 0.75])
    np.testing.assert_allclose(drawn[2][1:], 0.5)
    np.testing.assert_allclose(drawn[0], 0.5)


@pytest.mark.parametrize("channels", [1, 12])
def test_other_filters_are_one_plane_a_channel_on_one_scale(path: Path, channels: int) -> None:
    weights = RANDOM.uniform(-1, 1, (3, 3, channels, 10))
    figure = plots.filters(path, weights, "$conv$")
    planes = [axis.get_images()[0] for axis in figure.axes if axis.get_images()]
    assert all(plane.get_clim() == (-1, 1) for plane in planes)
    shapes = [np.asarray(plane.get_array()) for plane in planes]
    if channels == 1:
        assert figure.get_suptitle() == r"\$conv\$: 10 filters of 3 x 3"
        assert len(planes) == 10
        np.testing.assert_allclose(shapes[9], weights[:, :, 0, 9])
    else:
        assert figure.get_suptitle() == r"\$conv\$: 10 filters of 3 x 3, a row each, on 12 channels; the first 8"
        assert len(planes) == 64
        np.testing.assert_allclose(shapes[8 * 3 + 5], weights[:, :, 5, 3])
    assert "Weight, of the filter's largest" in [axis.get_ylabel() for axis in figure.axes]


def test_many_filters_are_cut_and_it_is_said(path: Path) -> None:
    figure = plots.filters(path, np.zeros((7, 7, 3, 96)), "conv")
    assert figure.get_suptitle() == "conv: the first 64 of 96 filters of 7 x 7, in colour"
    assert sum(len(axis.get_images()) for axis in figure.axes) == 64


def test_feature_maps(path: Path) -> None:
    maps = RANDOM.uniform(0, 5, (6, 4, 9))
    figure = plots.feature_maps(path, maps, [1, 4, 7], "conv")
    assert figure.get_suptitle() == "conv: maps of 6 x 4, 3 of 9 channels, those that vary most"
    drawn = [axis for axis in figure.axes if axis.get_images()]
    assert [axis.get_title() for axis in drawn] == ["1", "4", "7"]
    for axis, channel in zip(drawn, (1, 4, 7), strict=True):
        np.testing.assert_allclose(shown(axis), maps[..., channel])
    limits = {axis.get_images()[0].get_clim() for axis in drawn}
    assert limits == {(0, np.percentile(maps[..., [1, 4, 7]], 99.5))}


def test_maps_below_zero_have_zero_in_the_middle(path: Path) -> None:
    maps = RANDOM.uniform(-2, 5, (6, 4, 3))
    figure = plots.feature_maps(path, maps, range(3), "conv")
    assert figure.get_suptitle() == "conv: maps of 6 x 4, 3 channels"
    low, high = figure.axes[0].get_images()[0].get_clim()
    assert low == -high


def test_maps_of_nothing(path: Path) -> None:
    plots.feature_maps(path, np.zeros((6, 4, 3)), range(3), "dead")
    assert path.exists()
