"""Pictures side by side."""

from __future__ import annotations

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure


def tiles(figure: Figure, count: int, columns: int) -> list[Axes]:
    """So many places for pictures, row by row; what is left over of the last row stays empty."""
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.06, h_pad=0.06)
    places = figure.subplots(math.ceil(count / columns), columns, squeeze=False).ravel()
    for axis in places:
        axis.set_axis_off()
    return list(places[:count])


def show(axis: Axes, picture: Any, **options: Any) -> Any:
    """Draw a picture with its pixels as they are."""
    return axis.imshow(picture, interpolation="nearest", **options)
