"""Pictures of every kind that Pillow knows, as RGB with 8 bits a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

_STRIP = 1_000_000  # pixels whose mode is changed together; in other modes they take up to 40 bytes each


def rgb(image: Image.Image) -> Image.Image:
    """Transparent parts become white; 16 bits a channel are scaled to 8, floating point from 0..1 or from 0..255."""
    if image.mode == "F":
        whole = max(_floats(strip).max() for _, strip in _strips(image)) <= 1
        return _converted(image, lambda strip: _grey(np.rint(_floats(strip) * (255 if whole else 1))))
    # Pillow's own conversion of these modes cuts off everything above 255.
    if image.mode.startswith("I"):
        # The upper of two bytes, as Pillow does for 16-bit colour.
        return _converted(image, lambda strip: _grey(np.asarray(strip).astype(np.int64) >> 8))
    if _is_transparent(image):
        return _converted(image, _on_white)
    return image if image.mode == "RGB" else image.convert("RGB")


def _converted(image: Image.Image, conversion: Callable[[Image.Image], Image.Image]) -> Image.Image:
    whole = Image.new("RGB", image.size)
    for box, strip in _strips(image):
        whole.paste(conversion(strip), box)
    return whole


def _strips(image: Image.Image) -> Iterator[tuple[tuple[int, int, int, int], Image.Image]]:
    rows = max(1, _STRIP // image.width)
    for top in range(0, image.height, rows):
        box = (0, top, image.width, min(top + rows, image.height))
        yield box, image.crop(box)


def _floats(image: Image.Image) -> npt.NDArray[np.float32]:
    return np.nan_to_num(np.asarray(image, np.float32))


def _is_transparent(image: Image.Image) -> bool:
    # Pillow 10.1 calls it has_transparency_data; a 32-bit Raspberry Pi has Debian's Pillow 9.4.
    palette = image.palette.mode if image.mode == "P" and image.palette else ""
    return image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info or palette.endswith("A")


def _on_white(image: Image.Image) -> Image.Image:
    straight = image.convert("LA") if image.mode == "La" else image
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, straight.convert("RGBA")).convert("RGB")


def _grey(values: npt.NDArray[np.float32] | npt.NDArray[np.int64]) -> Image.Image:
    return Image.fromarray(values.clip(0, 255).astype(np.uint8)).convert("RGB")
