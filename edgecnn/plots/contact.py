"""A contact sheet: many figures on one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from edgecnn.plots.style import PRINT, SHEET, drawn, plain
from edgecnn.plots.tiles import tiles

_MOST_COLUMNS, _DOTS = 3, 200


def contact_sheet(path: Path, files: Sequence[Path], title: str) -> Figure:
    """Figures of one shape in the order given, at most three in a row."""
    columns = min(_MOST_COLUMNS, math.ceil(math.sqrt(len(files))))
    rows = math.ceil(len(files) / columns)
    width, height = (side / 2 for side in SHEET)
    with drawn(path, width * columns, 0.5 + height * rows, PRINT | {"savefig.dpi": _DOTS}) as figure:
        for axis, file in zip(tiles(figure, len(files), columns), files, strict=True):
            with Image.open(file) as picture:
                picture.thumbnail((_DOTS * width, _DOTS * height))
                axis.imshow(picture)
        figure.suptitle(plain(title))
    return figure
