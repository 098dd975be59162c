"""Pictures with their label drawn on."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from itertools import count
from pathlib import Path

import PIL
from PIL import Image, ImageDraw, ImageFont

from edgecnn_runtime.errors import ImageError, UsageError
from edgecnn_runtime.image import Picture, load
from edgecnn_runtime.sources.folder import SUFFIXES

_SHORTEST_SIDE = 224
_LONGEST_SIDE = 4096
_SMALLEST_LETTERS = 14
"""Height in pixels; in larger pictures letters have a sixteenth of the shorter side."""

_FONT = "DejaVuSans.ttf"
"""For labels outside ASCII, which Pillow's own font does not know; most systems with a desktop have it."""

_HAS_FONT = tuple(map(int, PIL.__version__.split(".")[:2])) >= (10, 1)
"""Whether Pillow has a font of its own for any size; Debian 12's, which a 32-bit Raspberry Pi has, does not."""

_WITHOUT_FREETYPE = "its label cannot be drawn: this Pillow was built without FreeType; install another"

_Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_LONGEST_NAME = 100
"""Bytes of it that are kept: file systems take 255, and there come a number and an ending."""

_PART = re.compile(r"\..+\.([1-9][0-9]{0,6})\.part")
"""Name of a picture that is being written, with the number of the process that writes it."""

_FORMATS = {".jpg": "JPEG", ".png": "PNG"}
_FRAME = re.compile(r"#[0-9]{6,}$")
"""What the name of a frame of a video or a camera ends with."""

_PHOTOGRAPHS = (".jpg", ".jpeg", ".jfif", ".jpe")
"""Endings of pictures whose copy is a JPEG too, as is that of a frame; of any other it is a PNG."""


def drawn(picture: Image.Image, text: str) -> Image.Image:
    """A copy of an RGB picture with ``text`` in its lower left corner, white on black.

    A picture too small for letters is enlarged by a whole number, its pixels left sharp; one that is too narrow or too
    low even then gets a black margin. A text too long for the picture is cut.
    """
    factor = max(1, min(-(-_SHORTEST_SIDE // min(picture.size)), _LONGEST_SIDE // max(picture.size)))
    width, height = (side * factor for side in picture.size)
    letters = max(min(width, height) // 16, _SMALLEST_LETTERS)
    pad = letters // 3
    line = letters + 2 * pad
    canvas = Image.new("RGB", (max(width, _SHORTEST_SIDE), max(height, line)))
    canvas.paste(picture if factor == 1 else picture.resize((width, height), Image.Resampling.NEAREST))
    text, font = _typeset(text, letters)
    text = _cut(text, canvas.width - 2 * pad, font)
    draw = ImageDraw.Draw(canvas)
    top = canvas.height - line
    draw.rectangle((0, top, font.getlength(text) + 2 * pad, canvas.height), "black")
    draw.text((pad, top + line // 2), text, "white", font, anchor="lm")
    return canvas


def _typeset(text: str, letters: int) -> tuple[str, _Font]:
    """The text as far as there are letters for it, and a font.

    Raises:
        ImageError: Pillow is old, and the system has none; or Pillow was built without FreeType.
    """
    if not (text.isascii() and _HAS_FONT):
        try:
            return text, ImageFont.truetype(_FONT, letters)
        except OSError:
            if not _HAS_FONT:
                raise ImageError("there is no font to draw its label; install fonts-dejavu-core") from None
            text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode() or "?"
        except ImportError:
            raise ImageError(_WITHOUT_FREETYPE) from None
    try:
        return text, ImageFont.load_default(letters)
    except ImportError:
        raise ImageError(_WITHOUT_FREETYPE) from None


def _cut(text: str, width: int, font: _Font) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "...") > width:
        text = text[:-1]
    return text + "..."


class Folder:
    """A folder of such pictures. Nothing in it is ever written over: a name that is taken gets a number."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Make the folder, if there is none; what processes that were killed left half written in it goes.

        Raises:
            UsageError: it cannot be made.
        """
        self._path = Path(path)
        self._last: dict[str, int] = {}  # number of a name that came more than once
        try:
            self._path.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise UsageError(f"{self._path}: cannot be made a folder ({problem.strerror}); name another") from None
        _clear(self._path)

    def write(self, name: str, picture: Picture, text: str, is_same: Callable[[], bool] = lambda: True) -> Path:
        """Write a picture with ``text`` on it, called after the last part of ``name``; see :func:`drawn`.

        Args:
            name: as the user knows the picture.
            picture: what is drawn on.
            text: what is drawn.
            is_same: asked when the picture has been read, whether it is still the one that the text is about.

        Raises:
            ImageError: the picture is not usable, or another one; or the file cannot be written.
        """
        try:
            image = drawn(load(picture), text)
        except MemoryError:
            raise ImageError(f"{name}: does not fit into memory with its label; make it smaller") from None
        if not is_same():
            raise ImageError(f"{name}: was replaced while it was classified, so there is no copy with its label")
        stem, ending = _file_name(name)
        part = self._path / f".{stem}.{os.getpid()}.part"
        try:
            # Not into the file itself: Pillow takes a write that a full disk cuts short for a whole one.
            encoded = BytesIO()
            image.save(encoded, _FORMATS[ending], quality=90)
            part.write_bytes(encoded.getbuffer())
            return self._placed(part, stem, ending)
        except OSError as problem:
            raise ImageError(f"{name}: cannot be written to {self._path} ({problem.strerror or problem})") from None
        finally:
            with suppress(OSError):
                part.unlink()

    def _placed(self, part: Path, stem: str, ending: str) -> Path:
        """Give a finished file a free name, the next that was not given yet: ``cam.jpg``, ``cam-2.jpg`` and so on."""
        for number in count(self._last.get(stem + ending, 0) + 1):
            place = self._path / f"{stem}{f'-{number}' if number > 1 else ''}{ending}"
            try:
                # Unlike renaming, linking never replaces what another process put there meanwhile.
                os.link(part, place)
            except OSError:
                if os.path.lexists(place):  # a link to nowhere too
                    continue
                part.rename(place)  # memory cards (FAT) have no links
            if number > 1:
                self._last[stem + ending] = number
            return place
        raise AssertionError("numbers do not end")


def _clear(folder: Path) -> None:
    """Remove unfinished pictures of processes that live no more; what cannot be removed does no harm."""
    with suppress(OSError), os.scandir(folder) as listing:
        for each in listing:
            if (part := _PART.fullmatch(each.name)) and not _lives(int(part[1])):
                with suppress(OSError):
                    os.unlink(each.path)  # noqa: PTH108


def _lives(process: int) -> bool:
    if os.name != "posix":  # the others take 0 for a signal, too
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        pass
    return True


def _file_name(name: str) -> tuple[str, str]:
    """Stem and ending of the copy; what a file system or a shell might take amiss is left out."""
    last = name.partition("?")[0].rstrip("/").rpartition("/")[2] if "://" in name else Path(name).name
    stem, dot, ending = last.rpartition(".")
    ending = (dot + ending).lower()
    stem = stem if ending in SUFFIXES else last
    kept = re.sub(r"[^\w.-]+", "-", stem).strip(".-")
    short = kept.encode()[:_LONGEST_NAME].decode(errors="ignore")
    return short or "picture", ".jpg" if _FRAME.search(last) or ending in _PHOTOGRAPHS else ".png"
