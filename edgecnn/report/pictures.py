"""Pictures that are a part of a page."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import colormaps
from PIL import Image

from edgecnn.plots.heat import opacity
from edgecnn.plots.style import AMOUNT

_SMALL, _LARGEST = 64, 192
"""Sides in pixels: up to the first a picture is kept exactly, and none is larger than the second."""


def address(pixels: Any) -> str:
    """A picture, uint8, shape (height, width, 3), as the ``data:`` address of itself."""
    picture, text = Image.fromarray(np.ascontiguousarray(pixels)), BytesIO()
    if max(picture.size) <= _SMALL:
        picture.save(text, "WEBP", lossless=True, method=6)
    else:
        picture.thumbnail((_LARGEST, _LARGEST))
        picture.save(text, "WEBP", quality=80, method=6)
    return f"data:image/webp;base64,{base64.b64encode(text.getvalue()).decode()}"


def heated(pixels: Any, heat: Any) -> Any:
    """The picture in grey, with a map of what matters laid over it; uint8, both sides at least 96.

    Args:
        pixels: uint8, shape (height, width, 3).
        heat: at least 0, shape (rows, columns); it covers the whole picture, and its largest value is the brightest.
    """
    height, width = pixels.shape[:2]
    scale = max(1, -(-96 // min(height, width)))
    size = width * scale, height * scale
    share = np.asarray(heat, np.float32) / (heat.max() or 1)
    over = np.asarray(Image.fromarray(share).resize(size, Image.Resampling.BILINEAR)).clip(0, 1)[..., None]
    grey = Image.fromarray(pixels).convert("L").resize(size, Image.Resampling.NEAREST)
    colour = 255 * colormaps[AMOUNT](over[..., 0])[..., :3]
    alpha = opacity(over)
    return ((1 - alpha) * np.asarray(grey)[..., None] + alpha * colour).round().astype(np.uint8)
