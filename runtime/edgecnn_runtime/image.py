"""The only place that opens pictures: any file becomes RGB pixels of the size a network takes.

Training on folders, calibration, evaluation and classification all come through here, so a resize can never
differ between them.
"""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING, BinaryIO, TypeAlias

import numpy as np
from PIL import Image

from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.picture_file import check_file, check_size, opened
from edgecnn_runtime.quiet import quiet, unwarned
from edgecnn_runtime.rgb import rgb

if TYPE_CHECKING:
    import numpy.typing as npt

Pixels: TypeAlias = "npt.NDArray[np.uint8]"
Picture: TypeAlias = "str | os.PathLike[str] | BinaryIO | Image.Image | Pixels"
"""A path, an open binary file, a Pillow image, or RGB pixels of shape (height, width, 3)."""

ENOUGH = 3
"""How many times the input's longer side a JPEG's shorter side must keep, at least, when it is decoded at a scale.

Decoded at a scale, a pixel is the mean of a block, which blurs a little more than the resize alone. With three times
the input, ResNet50 names 99.5 % of 400 photographs as at full size; with twice it is less (``docs/results.md``).
"""

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def pixels(source: Picture, spec: InputSpec) -> Pixels:
    """A picture as a network takes it.

    A picture that already has the input size passes through bit for bit.

    Returns:
        RGB pixels 0..255, shape (height, width, 3).

    Raises:
        ImageError: as :func:`load`.
    """
    return fitted(decoded(source, spec), spec)


def decoded(source: Picture, spec: InputSpec) -> Image.Image | Pixels:
    """The first half of :func:`pixels`: a picture that is still to be resized, or pixels that are not."""
    if isinstance(source, np.ndarray) and source.dtype == np.uint8 and source.shape == (spec.height, spec.width, 3):
        return source
    return load(source, spec)


def fitted(picture: Image.Image | Pixels, spec: InputSpec) -> Pixels:
    """The second half of :func:`pixels`."""
    if isinstance(picture, np.ndarray):
        return picture.copy()
    if picture.size != (spec.width, spec.height):
        box = _centre(picture.size, spec) if spec.fit == "crop" else None
        picture = picture.resize((spec.width, spec.height), Image.Resampling[spec.filter.upper()], box)
    return np.array(picture)


def load(source: Picture, spec: InputSpec | None = None) -> Image.Image:
    """A picture in RGB, upright.

    EXIF orientation is applied. Transparent parts become white. 16 bits a channel are scaled to 8, floating
    point from 0..1 (or from 0..255, if any value exceeds 1). Of an animation, the first frame is taken.

    With ``spec``, a large JPEG file is decoded at a half, a quarter or an eighth of its size, which is several times
    faster, if that leaves :data:`ENOUGH` for the resize that follows.

    Raises:
        ImageError: the file is missing, is not a picture, is damaged, or is larger than its format may be
            (:mod:`edgecnn_runtime.picture_file`).
    """
    try:
        # Pillow warns of odd metadata, which do not matter here, and of sizes, which are checked below.
        with unwarned:
            return _load(source, spec)
    except Exception as problem:  # Pillow's plugins raise nearly anything on damaged data
        raise ImageError(f"{_name(source)}: {_explanation(problem)}") from None


def _load(source: Picture, spec: InputSpec | None) -> Image.Image:
    if isinstance(source, np.ndarray):
        if source.dtype != np.uint8 or source.ndim != 3 or source.shape[2] != 3:
            raise ImageError(f"expected uint8 pixels (height, width, 3), got {source.dtype} {source.shape}")
        source = Image.fromarray(source)
    if isinstance(source, Image.Image):
        return _decode(source)
    if isinstance(source, str | os.PathLike):
        # Of a small picture, making a Path for this takes a tenth of the time.
        check_file(os.stat(source))  # noqa: PTH116
        with open(source, "rb") as file:  # noqa: PTH123
            return _decode(opened(file), spec)
    return _decode(opened(source), spec)


def _decode(image: Image.Image, spec: InputSpec | None = None) -> Image.Image:
    if not image.width * image.height:
        raise ImageError("has no pixels")
    whole = image.size
    if spec:
        scale = _scale(whole, spec)
        image.draft(image.mode, (image.width // scale, image.height // scale))
    check_size(image, whole)
    # libtiff describes the damage it finds on standard error.
    with quiet() if image.format == "TIFF" else nullcontext():
        image.load()
    # Each step lets go of what it was given.
    orientation = _orientation(image)
    image = rgb(image)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _scale(size: tuple[int, int], spec: InputSpec) -> int:
    """By how much a JPEG may be divided while it is decoded."""
    enough = ENOUGH * max(spec.height, spec.width)
    # Without a remainder: the last pixels would stand for a part of what the others do, and shift the picture.
    fits = (scale for scale in (8, 4, 2) if min(size) >= scale * enough and not any(side % scale for side in size))
    return next(fits, 1)


def _orientation(image: Image.Image) -> object:
    # After loading: Pillow turns TIFF files by itself, and before Pillow 10 it leaves the tag.
    if image.format == "TIFF":
        return None
    try:
        return image.getexif().get(_ORIENTATION_TAG)
    except Exception:  # a picture is good even where its metadata are damaged
        return None


def _centre(size: tuple[int, int], spec: InputSpec) -> tuple[float, float, float, float]:
    """The largest centred box of the input's shape, in pixels: left, upper, right, lower."""
    width, height = size
    if width * spec.height > height * spec.width:
        margin = (width - height * spec.width / spec.height) / 2
        return margin, 0, width - margin, height
    margin = (height - width * spec.height / spec.width) / 2
    return 0, margin, width, height - margin


def _name(source: Picture) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    return str(getattr(source, "filename", "") or getattr(source, "name", "") or "the picture")


def _explanation(problem: Exception) -> str:
    match problem:
        case ImageError():
            return str(problem)
        case FileNotFoundError():
            return "no such file; check the path"
        case SyntaxError():  # Pillow's modules raise it where a file does not begin as they expect
            return "not a picture in a known format, or a damaged one; save it as JPEG or PNG"
        case MemoryError():
            return "does not fit into memory; make it smaller"
        case OSError(strerror=str(reason)):  # the system's; Pillow's own have a text alone
            return f"cannot be read ({reason}); check its path and permissions"
    return f"is damaged ({problem or type(problem).__name__}); copy or save it again"
