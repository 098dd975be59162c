"""A camera, by whichever library reaches it."""

from __future__ import annotations

from collections.abc import Iterator

from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.machine import board_name
from edgecnn_runtime.pipeline import Item
from edgecnn_runtime.sources import Source, opencv, picamera


def camera(number: int) -> Source:
    """A camera's frames for as long as one asks: of a Raspberry Pi's own by picamera2, of any other by OpenCV.

    Raises:
        ImageError: picamera2 is installed and broken. What the camera itself does not do is raised while it runs.
    """
    frames = picamera.camera(number) if picamera.has(number) else _by_opencv(number)
    return Source(frames, live=True, film=True)


def _by_opencv(number: int) -> Iterator[Item]:
    try:
        yield from opencv.camera(number)
    except ImageError as problem:
        if picamera.is_installed() or not board_name().startswith("Raspberry Pi"):
            raise
        raise ImageError(f"{problem}; this board's own camera is picamera2's: {picamera.REMEDY}") from None
