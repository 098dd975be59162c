"""Files that hold pictures: which formats, how they are opened, and how much of them is bearable."""

from __future__ import annotations

import io
import logging
import os
import stat
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO

from PIL import Image

from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.metered import Metered

MAX_BYTES = 200_000_000
"""The largest file that is opened."""

MAX_HEAD = 16_000_000
"""How much of a file is read before its pixels, metadata above all, and after them; of a WebP file this is all."""

MAX_PIXELS = 50_000_000
"""The largest picture that is decoded, which takes up to 8 bytes a pixel; what takes more has :data:`FEWER_PIXELS`."""

MAX_SIDE = 65_535
"""The largest width and height, as JPEG's own: a row takes memory of its own, and so does what is drawn beside one."""

FEWER_PIXELS = {
    "progressive JPEG": 33_000_000,
    "TIFF": 33_000_000,
    "WEBP": 16_000_000,
    "JPEG2000": 16_000_000,
    "in Python": 4_000_000,
}
"""So that any picture takes 400 MB at most: the decoders take 12 bytes a pixel, those of WebP and JPEG 2000 24. Those
that Pillow has in Python, for rare kinds of BMP and PPM, take a microsecond."""

# Formats that only hold pixels, and Pillow's modules for them. Pillow knows others, but for one of them (EPS) it starts
# Ghostscript, and it would load them all, which takes as long as classifying a picture.
_MODULES = {
    "JPEG": "JpegImagePlugin",
    "PNG": "PngImagePlugin",
    "WEBP": "WebPImagePlugin",
    "BMP": "BmpImagePlugin",
    "GIF": "GifImagePlugin",
    "PPM": "PpmImagePlugin",
    "TIFF": "TiffImagePlugin",
    "JPEG2000": "Jpeg2KImagePlugin",
}
# Pillow logs some of the damage that it also raises, and without a handler Python prints that on standard error.
logging.getLogger("PIL").addHandler(logging.NullHandler())

_IN_PYTHON = ("bmp_rle", "ppm", "ppm_plain")
_SMALL = 1_000_000  # bytes that no decoder takes long for, whatever they are
_SHORTEST_BLOCK = 512
_PREFIX = 16  # bytes by which Pillow's modules know their formats


def check_file(found: os.stat_result) -> None:
    """Refuse what cannot be a picture.

    Raises:
        ImageError: it is not a file, or an empty one.
    """
    if stat.S_ISDIR(found.st_mode):
        raise ImageError("is a folder; name the pictures in it")
    if not stat.S_ISREG(found.st_mode):
        raise ImageError("is not a file; name a picture")
    if not found.st_size:
        raise ImageError("is empty; copy it again")


def opened(file: BinaryIO) -> Image.Image:
    """As ``Image.open``, which loads modules by the name of the file and, unless told the format, all of them.

    Raises:
        ImageError: it is too large, has too much metadata, or this Pillow was built without its format.
        SyntaxError: it is no picture in a known format.
    """
    try:
        file.seek(0)
    except (AttributeError, OSError):  # a pipe
        file = io.BytesIO(file.read(MAX_BYTES + 1))
    prefix = file.read(_PREFIX)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size > MAX_BYTES:
        raise ImageError(f"has more than {MAX_BYTES // 1_000_000} MB; make it smaller")
    if size > _SMALL:
        return _opened_large(file, prefix, size)
    return _factory(prefix)(file, "")


def _opened_large(file: BinaryIO, prefix: bytes, size: int) -> Image.Image:
    head: Any = Metered(file, MAX_HEAD)
    image = _factory(prefix)(head, "")
    head.left = size + MAX_HEAD
    _shorten_reads(image, size)
    return image


def _shorten_reads(image: Any, size: int) -> None:
    """Earlier Pillows read a whole block, of 64 kB, for each strip of a TIFF file, however short that is."""
    parts = len(getattr(image, "tile", ()))
    if parts > 1:
        image.decodermaxblock = max(_SHORTEST_BLOCK, min(image.decodermaxblock, size // parts))


def _factory(prefix: bytes) -> Callable[..., Image.Image]:
    for name, module in _MODULES.items():
        if name not in Image.OPEN:
            import_module(f"PIL.{module}")
        factory, accepts = Image.OPEN[name]
        accepted = accepts(prefix) if accepts else False
        if isinstance(accepted, str):  # Pillow knows the format, and was built without it
            raise ImageError(
                f"is {name}, which this Pillow was built without; save it as PNG, or install another Pillow"
            )
        if accepted:
            return factory
    raise SyntaxError


def check_size(image: Image.Image, whole: tuple[int, int]) -> None:
    """Refuse what takes too much memory or time to decode.

    Args:
        image: opened, not yet decoded, and set to the scale at which it will be.
        whole: its width and height at full size.

    Raises:
        ImageError: it has too many pixels, or too many in a row or column.
    """
    if max(whole) > MAX_SIDE:
        raise ImageError(f"is wider or higher than {MAX_SIDE:,} pixels; cut it")
    kind, (width, height) = image.format or "", image.size
    if "progressive" in image.info:
        # All of it is in memory, at whatever scale it is decoded.
        kind, (width, height) = "progressive JPEG", whole
    elif any(tile[0] in _IN_PYTHON for tile in getattr(image, "tile", ())):
        kind = "in Python"
    most = FEWER_PIXELS.get(kind, MAX_PIXELS)
    if width * height > most:
        raise ImageError(f"has more than {most // 1_000_000} megapixels; make it smaller")
