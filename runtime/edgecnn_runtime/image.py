"""The only place that opens pictures: any file becomes RGB pixels of the size a network takes.

Training on folders, calibration, evaluation and classification all come through here, so a resize can never
differ between them.
"""

from __future__ import annotations

import io
import logging
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from importlib import import_module
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

import numpy as np
from PIL import Image

from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.metered import Metered
from edgecnn_runtime.quiet import quiet, unwarned

if TYPE_CHECKING:
    import numpy.typing as npt

Pixels: TypeAlias = "npt.NDArray[np.uint8]"
Picture: TypeAlias = "str | os.PathLike[str] | BinaryIO | Image.Image | Pixels"
"""A path, an open binary file, a Pillow image, or RGB pixels of shape (height, width, 3)."""

MAX_BYTES = 200_000_000
"""The largest file that is opened."""

MAX_HEAD = 16_000_000
"""How much of a file is read before its pixels, metadata above all, and after them; of a WebP file this is all."""

MAX_PIXELS = 50_000_000
"""The largest picture that is decoded, which takes up to 8 bytes a pixel; what takes more has :data:`FEWER_PIXELS`."""

FEWER_PIXELS = {
    "progressive JPEG": 33_000_000,
    "TIFF": 33_000_000,
    "WEBP": 16_000_000,
    "JPEG2000": 16_000_000,
    "in Python": 4_000_000,
}
"""So that any picture takes 400 MB at most: the decoders take 12 bytes a pixel, those of WebP and JPEG 2000 24. Those
that Pillow has in Python, for rare kinds of BMP and PPM, take a microsecond."""

ENOUGH = 3
"""How many times the input's longer side a JPEG's shorter side must keep, at least, when it is decoded at a scale.

Decoded at a scale, a pixel is the mean of a block, which blurs a little more than the resize alone. With three times
the input, ResNet50 names 99.5 % of 400 photographs as at full size; with twice it is less (``docs/results.md``).
"""

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
_PREFIX = 16  # bytes by which Pillow's modules know their formats

_STRIP = 1_000_000  # pixels whose mode is changed together; in other modes they take up to 40 bytes each

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
        ImageError: the file is missing, is not a picture, is damaged, or is larger than :data:`MAX_PIXELS`, or what
            holds for its format.
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
        _check_file(os.stat(source))  # noqa: PTH116
        with open(source, "rb") as file:  # noqa: PTH123
            return _decode(_opened(file), spec)
    return _decode(_opened(source), spec)


def _check_file(found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise ImageError("is a folder; name the pictures in it")
    if not stat.S_ISREG(found.st_mode):
        raise ImageError("is not a file; name a picture")
    if not found.st_size:
        raise ImageError("is empty; copy it again")


def _opened(file: BinaryIO) -> Image.Image:
    """As ``Image.open``, which loads modules by the name of the file and, unless told the format, all of them."""
    try:
        file.seek(0)
    except (AttributeError, io.UnsupportedOperation):
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
    return image


def _factory(prefix: bytes) -> Callable[..., Image.Image]:
    for name, module in _MODULES.items():
        if name not in Image.OPEN:
            import_module(f"PIL.{module}")
        factory, accepts = Image.OPEN[name]
        if accepts and accepts(prefix):
            return factory
    raise SyntaxError


def _decode(image: Image.Image, spec: InputSpec | None = None) -> Image.Image:
    if not image.width * image.height:
        raise ImageError("has no pixels")
    whole = image.size
    if spec:
        scale = _scale(whole, spec)
        image.draft(image.mode, (image.width // scale, image.height // scale))
    _check_size(image, whole)
    # libtiff describes the damage it finds on standard error.
    with quiet() if image.format == "TIFF" else nullcontext():
        image.load()
    # Each step lets go of what it was given.
    orientation = _orientation(image)
    image = _rgb(image)
    return image.transpose(_UPRIGHT[orientation]) if orientation in _UPRIGHT else image


def _check_size(image: Image.Image, whole: tuple[int, int]) -> None:
    kind, (width, height) = image.format or "", image.size
    if "progressive" in image.info:
        # All of it is in memory, at whatever scale it is decoded.
        kind, (width, height) = "progressive JPEG", whole
    elif any(tile[0] in _IN_PYTHON for tile in getattr(image, "tile", ())):
        kind = "in Python"
    most = FEWER_PIXELS.get(kind, MAX_PIXELS)
    if width * height > most:
        raise ImageError(f"has more than {most // 1_000_000} megapixels; make it smaller")


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


def _rgb(image: Image.Image) -> Image.Image:
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
    rgb = Image.new("RGB", image.size)
    for box, strip in _strips(image):
        rgb.paste(conversion(strip), box)
    return rgb


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
