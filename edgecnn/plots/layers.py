"""What is inside a layer: its filters, and what they make of a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from edgecnn.plots.style import AMOUNT, PRINT, SHEET, SIGNED, drawn, plain
from edgecnn.plots.tiles import show, tiles
from edgecnn_runtime.wording import counted

MOST_FILTERS = 64
_MOST_ROWS = 8


def filters(path: Path, weights: Any, name: str) -> Figure:
    """The filters of a layer, at most 64; of filters on more than three channels the first eight of each.

    Filters on a picture are pictures: red, green and blue weights, 0 as middle grey. Others are one plane a channel.

    Args:
        path: of the picture.
        weights: from -1 to 1, shape (rows, columns, channels, filters).
        name: of the layer.
    """
    rows, columns, channels, count = weights.shape
    size, total = f"{rows} x {columns}", counted(count, "filter")
    if channels in (1, 3):
        shown = [weights[..., index] for index in range(min(count, MOST_FILTERS))]
        wide = math.ceil(math.sqrt(len(shown)))
        first = f"the first {len(shown)} of " if len(shown) < count else ""
        title = f"{plain(name)}: {first}{total} of {size}{', in colour' if channels == 3 else ''}"
    else:
        shown = [
            weights[:, :, [channel], index]
            for index in range(min(count, _MOST_ROWS))
            for channel in range(min(channels, _MOST_ROWS))
        ]
        wide = min(channels, _MOST_ROWS)
        title = f"{plain(name)}: {total} of {size}, a row each, on {channels} channels"
        if max(count, channels) > _MOST_ROWS:
            title += f"; the first {_MOST_ROWS}"
    with drawn(path, *SHEET, PRINT) as figure:
        places = tiles(figure, len(shown), wide)
        for axis, each in zip(places, shown, strict=True):
            if channels == 3:
                show(axis, (each + 1) / 2)
            else:
                picture = show(axis, each[..., 0], cmap=SIGNED, vmin=-1, vmax=1)
        if channels != 3:
            figure.colorbar(picture, ax=places, shrink=0.6, label="Weight, of the filter's largest")
        figure.suptitle(title)
    return figure


def feature_maps(path: Path, maps: Any, channels: Sequence[int], name: str) -> Figure:
    """Some channels of what comes out of a layer, each titled with its number, all on one scale.

    Args:
        path: of the picture.
        maps: shape (rows, columns, channels), all of the layer's.
        channels: which to show.
        name: of the layer.
    """
    rows, columns, count = maps.shape
    which = (
        f"{len(channels)} of {count} channels, those that vary most" if len(channels) < count else f"{count} channels"
    )
    shown = maps[..., channels]
    # A few extreme values would leave all others in the dark.
    limit = max(float(np.percentile(np.abs(shown), 99.5)), 1e-9)
    low, colours = (-limit, SIGNED) if shown.min() < 0 else (0, AMOUNT)
    with drawn(path, *SHEET, PRINT) as figure:
        places = tiles(figure, len(channels), math.ceil(math.sqrt(len(channels))))
        for axis, channel in zip(places, channels, strict=True):
            picture = show(axis, maps[..., channel], cmap=colours, vmin=low, vmax=limit)
            axis.set_title(f"{channel}", pad=3)
        ends = "both" if low else "max"
        figure.colorbar(picture, ax=places, shrink=0.6, label="Activation", extend=ends)
        figure.suptitle(f"{plain(name)}: maps of {rows} x {columns}, {which}")
    return figure
