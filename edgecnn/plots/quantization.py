"""What quantization costs."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from edgecnn.plots.style import BLUE, drawn, plain


def layer_errors(path: Path, errors: dict[str, float], title: str) -> Figure:
    """What quantization does to each layer by itself, the largest error on top."""
    with drawn(path, 8, 1.2 + 0.3 * len(errors)) as figure:
        axis = figure.subplots()
        axis.barh([plain(name) for name in errors], [100 * error for error in errors.values()], color=BLUE)
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        axis.set(xlabel="Error of the output by itself, relative to its size (%)", title=plain(title))
    return figure
