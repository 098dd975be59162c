"""Every figure, in one style: colour-blind safe, labelled axes, readable at half size.

Each function writes its picture to ``path`` and returns the figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from edgecnn_export.dataset import Dataset

BLUE, ORANGE, RED = "#0072B2", "#E69F00", "#B3261E"  # from Okabe and Ito's palette, 2008, and a darker red

_STYLE: Any = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "lines.linewidth": 2,
    "savefig.dpi": 120,
    "figure.constrained_layout.use": True,
}


def curves(path: Path, history: Sequence[dict[str, float]], watched: str) -> Figure:
    """Loss and accuracy over the epochs, for training and for the ``watched`` images where there are any."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10, 4))
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
        figure.savefig(path)
    return figure


def predictions(path: Path, data: Dataset, probabilities: Any) -> Figure:
    """The first images, each titled with its predicted label; a wrong one is red and names the true label too."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10, 11))
        places = figure.subplots(5, 5).ravel()
        for axis in places:
            axis.set_axis_off()
        for axis, image, label, scores in zip(places, data.images, data.labels, probabilities, strict=False):
            guess = int(scores.argmax())
            title, colour = f"{data.label_names[guess]} {scores[guess]:.0%}", "black"
            if guess != label:
                title, colour = f"{title}\nis {data.label_names[label]}", RED
            axis.imshow(image, interpolation="nearest")
            axis.set_title(title, color=colour, fontsize=12)
        figure.savefig(path)
    return figure


def confusion(path: Path, data: Dataset, probabilities: Any) -> Figure:
    """How often each class (row) was given each label (column), in per cent of the class."""
    classes = len(data.label_names)
    counts = np.zeros((classes, classes))
    np.add.at(counts, (data.labels, probabilities.argmax(-1)), 1)
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    with mpl.rc_context(_STYLE | {"axes.grid": False}):
        figure = Figure(figsize=(8.5, 7.5))
        axis = figure.subplots()
        picture = axis.imshow(share, cmap="Blues", vmin=0, vmax=100)
        for row, column in np.ndindex(classes, classes):
            if share[row, column] >= 0.5:
                colour = "white" if share[row, column] > 50 else "black"
                axis.text(column, row, f"{share[row, column]:.0f}", ha="center", va="center", color=colour)
        axis.set_xticks(range(classes), data.label_names, rotation=45, ha="right")
        axis.set_yticks(range(classes), data.label_names)
        axis.set(xlabel="Predicted label", ylabel="True label", title="Confusion (% of the true class)")
        figure.colorbar(picture, shrink=0.8, label="% of the true class")
        figure.savefig(path)
    return figure
