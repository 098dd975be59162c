"""How a training went."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from edgecnn.plots.style import BLUE, ORANGE, drawn

_PANELS = {"loss": ("Loss", 1), "accuracy": ("Accuracy (%)", 100)}

History = Sequence[dict[str, float]]


def curves(path: Path, history: History, watched: str) -> Figure:
    """Loss and accuracy over the epochs, for training and for the ``watched`` images where there are any."""
    with drawn(path, 10, 4) as figure:
        for axis, key in zip(figure.subplots(1, 2), _PANELS, strict=True):
            _panel(axis, history, key, watched)
    return figure


def curve(path: Path, history: History, key: str, watched: str) -> Figure:
    """One of them, ``loss`` or ``accuracy``, for a narrow page."""
    with drawn(path, 5.4, 3.8) as figure:
        _panel(figure.subplots(), history, key, watched)
    return figure


def _panel(axis: Axes, history: History, key: str, watched: str) -> None:
    epochs = [row["epoch"] for row in history]
    title, scale = _PANELS[key]
    axis.plot(epochs, [scale * row[key] for row in history], "o-", color=BLUE, ms=4, label="training")
    if f"validation_{key}" in history[0]:
        values = [scale * row[f"validation_{key}"] for row in history]
        axis.plot(epochs, values, "s--", color=ORANGE, ms=4, label=watched)
    axis.set(xlabel="Epoch", ylabel=title, title=title.removesuffix(" (%)"))
    axis.xaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 2.5, 5, 10], integer=True))
    axis.legend(frameon=False)
