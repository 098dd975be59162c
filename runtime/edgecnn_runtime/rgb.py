"""Pictures of every kind that Pillow knows, as RGB with 8 bits a channel."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    import numpy.typing as npt

# Tags of TIFF, and the values at which Pillow gives 16 bits as they are in the file (TIFF 6.0, sections 3 and 4).
_BITS_PER_SAMPLE, _TWELVE = 258, (12,)
_PHOTOMETRIC, _WHITE_IS_ZERO = 262, 0

_STRIP = 1_000_000  # pixels whose mode is changed together; in other modes they take up to 40 bytes each


def rgb(image: Image.Image) -> Image.Image:
    """Transparent parts become white; 16 bits a channel are scaled to 8, floating point from 0..1 or from 0..255."""
    if image.mode == "F":
        whole = max(_floats(strip).max() for _, strip in _strips(image)) <= 1
        return _converted(image, lambda strip: _grey(np.rint(_floats(strip) * (255 if whole else 1))))
    # Pillow's own conversion of these modes cuts off everything above 255.
    if image.mode.startswith("I"):
        return _converted(image, _upper_byte(getattr(image, "tag_v2", {})))
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


def _upper_byte(tags: Mapping[int, object]) -> Callable[[Image.Image], Image.Image]:
    """The upper 8 bits of 16, which Pillow takes of 16-bit colour too, or of 12."""
    shift = 4 if tags.get(_BITS_PER_SAMPLE) == _TWELVE else 8
    zero = 255 if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO else 0

    def convert(strip: Image.Image) -> Image.Image:
        return _grey(abs(zero - (np.asarray(strip).astype(np.int64) >> shift).clip(0, 255)))

    return convert


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
