"""Many small images in one lossless WebP picture, tile beside tile, and back without a changed bit.

Golden vectors and bundled images are kept this way: WebP takes a fifth less than PNG, and one picture of many
tiles less than many pictures.
"""

from __future__ import annotations

import base64
import io
from math import prod

import numpy as np
import numpy.typing as npt
from PIL import Image, features

from edgecnn_runtime.errors import BackendError, ImageError
from edgecnn_runtime.quiet import unwarned

Images = npt.NDArray[np.uint8]

COLUMNS = 50
MAX_SIDE = 16383
"""WebP's own limit on a picture's width and height, in pixels."""
MAX_PIXELS = 17_000_000
"""Of a whole sheet: unpacking takes 22 bytes a pixel."""


def _grid(count: int, width: int) -> tuple[int, int]:
    """Rows and columns of a sheet, found anew by the reader: as many columns as fit, 50 at most."""
    columns = max(1, min(COLUMNS, count, MAX_SIDE // width))
    return -(-count // columns), columns


def fits(count: int, height: int, width: int) -> bool:
    """Whether so many images of this size go on one sheet."""
    rows, columns = _grid(count, width)
    sides = rows * height, columns * width
    return max(sides) <= MAX_SIDE and prod(sides) <= MAX_PIXELS


def pack(images: Images) -> bytes:
    """Put images on one sheet.

    Args:
        images: RGB pixels, shape (N, height, width, 3), N at least 1.

    Returns:
        A lossless WebP file. Tiles lie row by row; the unused end of the last row is black.

    Raises:
        ValueError: there is no image, or they are too many for one sheet (16383 pixels a side, 17 megapixels).
    """
    count, height, width, _ = images.shape
    if not count or not fits(count, height, width):
        raise ValueError(f"{count} images of {width} x {height} do not go on one sheet; make several")
    rows, columns = _grid(count, width)
    tiles = np.zeros((rows * columns, height, width, 3), np.uint8)
    tiles[:count] = images
    sheet = tiles.reshape(rows, columns, height, width, 3).swapaxes(1, 2)
    picture = Image.fromarray(sheet.reshape(rows * height, columns * width, 3))
    data = io.BytesIO()
    picture.save(data, "WEBP", lossless=True, quality=100)
    return data.getvalue()


def unpack(data: bytes, count: int, height: int, width: int) -> Images:
    """Take the images off a sheet that :func:`pack` made.

    Args:
        data: the WebP file.
        count: how many images were packed.
        height: of one image, in pixels.
        width: of one image, in pixels.

    Returns:
        RGB pixels, shape (count, height, width, 3).

    Raises:
        ImageError: the data is not a sheet of that many images of that size.
        BackendError: Pillow was built without WebP.
    """
    rows, columns = _grid(count, width)
    wanted = (columns * width, rows * height)
    if prod(wanted) > MAX_PIXELS:
        raise ImageError(f"a sheet of images has more than {MAX_PIXELS // 1_000_000} megapixels")
    try:
        # Pillow warns of sizes, of which only the right one is decoded.
        with unwarned, Image.open(io.BytesIO(data), formats=["WEBP"]) as sheet:
            # Checked before decoding: a damaged header must not make us fill the memory.
            if sheet.size != wanted:
                raise ImageError(f"a sheet of images is {sheet.size}, not {wanted} pixels")
            pixels = np.asarray(sheet.convert("RGB"))
    except ImageError:
        raise
    except Exception as problem:  # Pillow's plugins raise nearly anything on damaged data
        if not features.check("webp"):
            raise BackendError(
                "this Pillow was built without WebP, in which model files keep pictures; install another"
            ) from None
        raise ImageError(f"a sheet of images is damaged ({problem})") from None
    tiles = pixels.reshape(rows, height, columns, width, 3).swapaxes(1, 2)
    return np.ascontiguousarray(tiles.reshape(-1, height, width, 3)[:count])


def pack_text(images: Images) -> str:
    """The sheet of :func:`pack` as base64 text, for JSON."""
    return base64.b64encode(pack(images)).decode()


def unpack_text(text: str, count: int, height: int, width: int) -> Images:
    """The images of :func:`pack_text`, as :func:`unpack` gives them.

    Raises:
        ImageError: as there.
        ValueError: the text is not base64.
    """
    return unpack(base64.b64decode(text), count, height, width)
