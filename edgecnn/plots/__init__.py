"""Every figure, in one style. Each function writes its picture to ``path`` and returns the figure."""

from __future__ import annotations

from edgecnn.plots.answers import mistakes, predictions
from edgecnn.plots.classes import confusion
from edgecnn.plots.contact import contact_sheet
from edgecnn.plots.convolution import by_hand, pooling, strides
from edgecnn.plots.costs import tradeoffs
from edgecnn.plots.heat import class_activation, hidden
from edgecnn.plots.layers import feature_maps, filters
from edgecnn.plots.quantization import layer_errors
from edgecnn.plots.training import curve, curves

__all__ = [
    "by_hand",
    "class_activation",
    "confusion",
    "contact_sheet",
    "curve",
    "curves",
    "feature_maps",
    "filters",
    "hidden",
    "layer_errors",
    "mistakes",
    "pooling",
    "predictions",
    "strides",
    "tradeoffs",
]
