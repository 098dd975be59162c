"""A camera, by whichever library reaches it."""

from __future__ import annotations

from edgecnn_runtime.sources import Source, opencv, picamera


def camera(number: int) -> Source:
    """A camera's frames for as long as one asks: of a Raspberry Pi's own by picamera2, of any other by OpenCV.

    Raises:
        ImageError: picamera2 is installed and broken. What the camera itself does not do is raised while it runs.
    """
    frames = picamera.camera(number) if picamera.has(number) else opencv.camera(number)
    return Source(frames, live=True, film=True)
