"""Frames of a Raspberry Pi's own camera, by picamera2, which Raspberry Pi OS brings.

Written after its manual (https://datasheets.raspberrypi.com/camera/picamera2-manual.pdf) and not yet tried on a board.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from typing import Any

from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.pipeline import Item

SIZE = (1280, 720)

REMEDY = "sudo apt install python3-picamera2, and a virtual environment made with --system-site-packages"
"""How Python finds picamera2, which pip does not bring."""


def is_installed() -> bool:
    """Whether Python finds picamera2."""
    return importlib.util.find_spec("picamera2") is not None


def has(number: int) -> bool:
    """Whether picamera2 is installed and knows this camera.

    Raises:
        ImageError: it is installed, and does not load or cannot look for cameras.
    """
    if not is_installed():
        return False
    library = _library()
    try:
        return number < len(library.global_camera_info())
    except Exception as problem:  # libcamera's errors are of many kinds
        raise ImageError(f"picamera2 cannot say which cameras there are ({problem}); is libcamera installed?") from None


def camera(number: int) -> Iterator[Item]:
    """The camera's frames, ``camera0#000001`` the first, the newest whenever one is asked for.

    Raises:
        ImageError: it cannot be opened, or fails.
    """
    name = f"camera{number}"
    library = _library()
    try:
        device = library(number)
        try:
            # In picamera2's words BGR888 is an array of red, green, blue (manual, appendix A).
            device.configure(device.create_video_configuration(main={"size": SIZE, "format": "BGR888"}, buffer_count=2))
            device.start()
            frame = 0
            while True:
                frame += 1
                yield Item(f"{name}#{frame:06}", device.capture_array("main"))
        finally:
            device.close()
    except (RuntimeError, OSError, IndexError) as problem:
        raise ImageError(f"{name}: picamera2 cannot use it ({problem}); is it connected, and free?") from None


def _library() -> Any:
    # libcamera tells its own story on standard error.
    os.environ.setdefault("LIBCAMERA_LOG_LEVELS", "*:ERROR")
    try:
        from picamera2 import Picamera2
    except Exception as problem:  # compiled modules beside it, built for another numpy, fail in many ways
        raise ImageError(
            f"picamera2 is installed but does not load ({problem}); if it is for numpy, leave the extra camera out, "
            "which brings another one"
        ) from None
    return Picamera2
