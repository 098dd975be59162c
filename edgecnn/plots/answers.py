"""Pictures with the answers they got."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from edgecnn.metrics import surest
from edgecnn.plots.style import INK, RED, drawn, short
from edgecnn_export.dataset import Dataset


def predictions(path: Path, data: Dataset, probabilities: Any) -> Figure:
    """The first images, each titled with its predicted label; a wrong one is red and names the true label too."""
    return _answers(path, data, probabilities, np.arange(len(data)), "")


def mistakes(path: Path, data: Dataset, probabilities: Any) -> Figure:
    """The worst mistakes, titled likewise: the images that were given a wrong label with the highest probability."""
    worst = surest(data.labels, probabilities, right=False)
    return _answers(path, data, probabilities, worst, f"{len(worst):,} of {len(data):,} wrong, the worst first")


def _answers(path: Path, data: Dataset, probabilities: Any, order: Any, title: str) -> Figure:
    with drawn(path, 10, 11) as figure:
        places = figure.subplots(5, 5).ravel()
        for axis in places:
            axis.set_axis_off()
        for axis, index in zip(places, order, strict=False):
            guess, label = int(probabilities[index].argmax()), data.labels[index]
            caption, colour = f"{short(data.label_names[guess])} {probabilities[index, guess]:.0%}", INK
            if guess != label:
                caption, colour = f"{caption}\nis {short(data.label_names[label])}", RED
            axis.imshow(data.images[index], interpolation="nearest")
            axis.set_title(caption, color=colour, fontsize=12)
        figure.suptitle(title)
    return figure
