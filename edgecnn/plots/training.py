"""How a training went."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from edgecnn.plots.style import BLUE, ORANGE, drawn


def curves(path: Path, history: Sequence[dict[str, float]], watched: str) -> Figure:
    """Loss and accuracy over the epochs, for training and for the ``watched`` images where there are any."""
    with drawn(path, 10, 4) as figure:
        axes = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in history]
        for axis, key, title, scale in (
            (axes[0], "loss", "Loss", 1),
            (axes[1], "accuracy", "Accuracy (%)", 100),
        ):
            axis.plot(epochs, [scale * row[key] for row in history], "o-", color=BLUE, ms=4, label="training")
            if f"validation_{key}" in history[0]:
                values = [scale * row[f"validation_{key}"] for row in history]
                axis.plot(epochs, values, "s--", color=ORANGE, ms=4, label=watched)
            axis.set(xlabel="Epoch", ylabel=title, title=title.removesuffix(" (%)"))
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.legend(frameon=False)
    return figure
