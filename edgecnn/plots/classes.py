"""Which classes are taken for which."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from edgecnn.metrics import measure
from edgecnn.plots.style import drawn, plain
from edgecnn_export.dataset import Dataset


def confusion(path: Path, data: Dataset, probabilities: Any) -> Figure:
    """How often each class (row) was given each label (column), in per cent of the class.

    Classes that have no images and were never given are left out.
    """
    counts = measure(data.labels, probabilities).confusion
    (shown,) = np.nonzero(counts.sum(0) + counts.sum(1))
    counts, names = counts[np.ix_(shown, shown)], [plain(data.label_names[index]) for index in shown]
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    # Ten classes fill the page; more make it grow, up to a hundred, and then the writing shrinks.
    width = min(max(8.5, 0.3 * len(shown)), 30)
    changes = {"axes.grid": False, "font.size": min(11, 30 * width / len(shown))}
    with drawn(path, width, width - 1, changes) as figure:
        axis = figure.subplots()
        picture = axis.imshow(share, cmap="Blues", vmin=0, vmax=100)
        for row, column in np.argwhere(np.rint(share) > 0):
            colour = "white" if share[row, column] > 50 else "black"
            axis.text(column, row, f"{share[row, column]:.0f}", ha="center", va="center", color=colour)
        axis.set_xticks(range(len(shown)), names, rotation=45 if len(shown) <= 25 else 90, ha="right")
        axis.set_yticks(range(len(shown)), names)
        axis.set(xlabel="Predicted label", ylabel="True label", title="Confusion (% of the true class)")
        figure.colorbar(picture, shrink=0.8, label="% of the true class")
    return figure
