"""Maps of what matters to a class, laid over the picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from edgecnn.plots.style import AMOUNT, PRINT, SHEET, SIGNED, drawn, plain
from edgecnn.plots.tiles import show, tiles


def class_activation(path: Path, pixels: Any, maps: Any, captions: Sequence[str], title: str) -> Figure:
    """The picture, and a map of evidence over it for each class, from 0 to the map's own largest value.

    Args:
        path: of the figure.
        pixels: shape (height, width, 3).
        maps: at least 0, shape (classes, rows, columns); each covers the whole picture.
        captions: one a class.
        title: of the figure.
    """
    largest = maps.max((1, 2), keepdims=True)
    shares = maps / np.where(largest > 0, largest, 1)
    return _over(path, pixels, shares, captions, title, AMOUNT, (0, 1), "Evidence, of the map's largest")


def hidden(path: Path, pixels: Any, maps: Any, captions: Sequence[str], title: str) -> Figure:
    """The picture, and over it for each class by how much its probability falls when a place is hidden.

    Args:
        path: of the figure.
        pixels: shape (height, width, 3).
        maps: from -1 to 1, shape (classes, height, width); below 0 the probability rises.
        captions: one a class.
        title: of the figure.
    """
    limit = max(float(np.abs(maps).max()), 0.001)
    label = "Fall of the probability when hidden (points)"
    return _over(path, pixels, 100 * maps, captions, title, SIGNED, (-100 * limit, 100 * limit), label)


def opacity(share: Any) -> Any:
    """Of a map over its picture, by the share of its largest value: what does not matter lets the picture through."""
    return 0.15 + 0.6 * share


def _over(
    path: Path,
    pixels: Any,
    maps: Any,
    captions: Sequence[str],
    title: str,
    colours: str,
    limits: tuple[float, float],
    label: str,
) -> Figure:
    height, width = pixels.shape[:2]
    extent = (-0.5, width - 0.5, height - 0.5, -0.5)
    grey = pixels @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    with drawn(path, *SHEET, PRINT) as figure:
        places = tiles(figure, 1 + len(maps), math.ceil(math.sqrt(1 + len(maps))))
        show(places[0], pixels)
        places[0].set_title("the picture")
        for axis, values, caption in zip(places[1:], maps, captions, strict=True):
            show(axis, grey, cmap="gray", vmin=0, vmax=255)
            alpha = opacity(np.abs(values) / limits[1])
            heat = axis.imshow(
                values,
                cmap=colours,
                vmin=limits[0],
                vmax=limits[1],
                alpha=alpha,
                extent=extent,
                interpolation="bilinear",
            )
            axis.set_title(plain(caption))
        figure.colorbar(ScalarMappable(heat.norm, heat.cmap), ax=places, shrink=0.6, label=label)
        figure.suptitle(plain(title))
    return figure
