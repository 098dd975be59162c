"""Frames of a video file or a camera, read by OpenCV (the extra ``camera``)."""

from __future__ import annotations

import os
import platform
import struct
from collections.abc import Iterator
from typing import Any

from edgecnn_runtime.errors import ImageError, first_line
from edgecnn_runtime.machine import architecture
from edgecnn_runtime.pipeline import Item
from edgecnn_runtime.quiet import quiet

_PATIENCE = 1_000
"""Frames in a row that cannot be read, after which none is expected any more."""


def video(path: str) -> Iterator[Item]:
    """The frames of a video file, ``PATH#000001`` the first."""
    try:
        if not os.path.isfile(path):  # noqa: PTH113 - pathlib's raises where a folder on the way may not be entered
            raise ImageError(f"{path}: no such file, or none that can be reached; check the path")
        _check_name(path)
        frame = None
        for frame in _frames(path, path):
            yield frame
        if not frame:
            raise ImageError(f"{path}: has no frames that OpenCV can read; save it as MP4")
    except ImageError as problem:
        yield Item(path, problem)


def _check_name(path: str) -> None:
    try:
        path.encode()
    except UnicodeEncodeError:  # OpenCV gets no name then, and crashes
        raise ImageError(f"{path}: has a name that is not UTF-8, which OpenCV does not open; rename it") from None


def camera(number: int) -> Iterator[Item]:
    """A camera's frames, ``camera0#000001`` the first, as they are asked for.

    Raises:
        ImageError: there is no such camera, it is in use, or it was taken away; or OpenCV is not installed.
    """
    name = f"camera{number}"
    yield from _frames(name, number)
    raise ImageError(f"{name}: gives no more pictures; is it still connected?")


def _frames(name: str, place: str | int) -> Iterator[Item]:
    cv2 = _opencv()
    try:
        yield from _read(cv2, name, place)
    except (cv2.error, OverflowError) as problem:
        raise ImageError(f"{name}: OpenCV fails on it ({first_line(problem)})") from None


def _read(cv2: Any, name: str, place: str | int) -> Iterator[Item]:
    # OpenCV and FFmpeg say on standard error what they think of a file.
    with quiet():  # FFmpeg would take what is before a colon for a protocol
        capture = cv2.VideoCapture(os.path.abspath(place) if isinstance(place, str) else place)  # noqa: PTH100
    try:
        if not capture.isOpened():
            remedy = "save it as MP4" if isinstance(place, str) else "is it connected, and free?"
            raise ImageError(f"{name}: cannot be opened; {remedy}")
        # Where a driver listens to it: the newest frame, not one of those that gathered meanwhile.
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        said = capture.get(cv2.CAP_PROP_FRAME_COUNT) if isinstance(place, str) else 0
        number = missed = lost = 0
        while (frame := _next(capture)) is not None or missed < min(said - number - lost, _PATIENCE):
            if frame is None:
                missed += 1
                continue
            number, lost, missed = number + 1, lost + missed, 0
            yield Item(f"{name}#{number:06}", cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))
        if lost or missed >= _PATIENCE:
            raise ImageError(f"{name}: some of its frames cannot be read; copy it again")
    finally:
        capture.release()


def _next(capture: Any) -> Any:
    with quiet():
        good, frame = capture.read()
    return frame if good else None


def _opencv() -> Any:
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    try:
        import cv2
    except Exception as problem:  # one that was built for another numpy raises what it likes
        raise ImageError(f"videos and cameras need OpenCV ({first_line(problem)}); {_remedy()}") from None
    return cv2


def _remedy() -> str:
    if architecture(platform.machine(), struct.calcsize("P")) in ("armv6l", "armv7l"):  # there is no wheel of it
        return "sudo apt install python3-opencv"
    return 'pip install "edgecnn[camera]"'
