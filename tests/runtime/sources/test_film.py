"""Videos and cameras. The videos are real files, where OpenCV is installed; of cameras there is none here."""

from __future__ import annotations

import builtins
import os
import platform
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.image import load
from edgecnn_runtime.sources import camera as cameras
from edgecnn_runtime.sources import opencv, picamera
from edgecnn_runtime.sources.named import named

COLOURS = [(200, 30, 30), (30, 200, 30), (30, 30, 200)]


@pytest.fixture
def cv2() -> Any:
    return pytest.importorskip("cv2", reason='needs OpenCV: pip install "edgecnn[camera]"')


@pytest.fixture(params=["MJPG avi", "mp4v mp4"])
def clip(request: pytest.FixtureRequest, cv2: Any, here: Path) -> str:
    """A video of a red, a green and a blue frame."""
    code, ending = request.param.split()
    writer = cv2.VideoWriter(f"clip.{ending}", cv2.VideoWriter_fourcc(*code), 10, (64, 48))
    for colour in COLOURS:
        writer.write(np.full((48, 64, 3), colour[::-1], np.uint8))
    writer.release()
    assert here.joinpath(f"clip.{ending}").stat().st_size > 500
    return f"clip.{ending}"


def test_the_frames_of_a_video(clip: str) -> None:
    source = named([clip])
    assert (source.total, source.film, source.live) == (None, True, False)
    frames = list(source.items)
    assert [each.name for each in frames] == [f"{clip}#00000{number}" for number in (1, 2, 3)]
    for each, colour in zip(frames, COLOURS, strict=True):
        assert not isinstance(each.picture, ImageError)
        pixels = np.asarray(load(each.picture))
        assert pixels.shape == (48, 64, 3)
        assert np.abs(pixels.mean((0, 1)) - colour).max() < 12


def test_a_video_that_is_called_by_a_time(clip: str) -> None:
    name = Path(clip).rename(f"2026-01-01T12:30:00{Path(clip).suffix}").name
    assert [each.name for each in named([name]).items] == [f"{name}#00000{number}" for number in (1, 2, 3)]


@pytest.mark.usefixtures("here")
def test_a_video_that_is_damaged_in_the_middle(cv2: Any) -> None:
    writer = cv2.VideoWriter("clip.mp4", cv2.VideoWriter_fourcc(*"mp4v"), 10, (64, 48))
    noise = np.random.default_rng(1)
    for _ in range(30):
        writer.write(noise.integers(0, 256, (48, 64, 3), np.uint8))
    writer.release()
    data = bytearray(Path("clip.mp4").read_bytes())
    quarter = len(data) // 4
    data[quarter : 2 * quarter] = bytes(quarter)
    Path("clip.mp4").write_bytes(data)
    *frames, last = named(["clip.mp4"]).items
    assert 10 < len(frames) < 30  # those before the damage are fewer
    assert [each.name for each in frames] == [f"clip.mp4#{number:06}" for number in range(1, len(frames) + 1)]
    assert str(last.picture) == "clip.mp4: some of its frames cannot be read; copy it again"


def test_two_videos_are_no_film(clip: str) -> None:
    assert not named([clip, clip]).film
    assert not named([clip, "red.png"]).film
    assert len(list(named([clip, "red.png"]).items)) == 4


@pytest.mark.usefixtures("cv2", "here")
def test_a_video_whose_path_is_no_utf_8_is_an_error_and_no_crash() -> None:
    name = os.fsdecode(b"\xff.avi")
    Path(name).touch()
    bad, good = named([name, "red.png"]).items
    assert str(bad.picture) == f"{name}: has a name that is not UTF-8, which OpenCV does not open; rename it"
    assert good.picture == "red.png"


def test_what_is_no_video(clip: str, capfd: pytest.CaptureFixture[str]) -> None:
    whole = Path(clip).read_bytes()
    Path("cut.mp4").write_bytes(whole[:400])
    Path("empty.mov").touch()
    for name, why in {
        "cut.mp4": "cannot be opened",
        "empty.mov": "cannot be opened",
        "none.avi": "no such file",
    }.items():
        bad, good = named([name, "red.png"]).items
        assert isinstance(bad.picture, ImageError)
        assert str(bad.picture).startswith(f"{name}: {why}")
        assert good.picture == "red.png"
    assert capfd.readouterr() == ("", "")


def test_opencv_that_fails_on_a_frame(clip: str, cv2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> None:
        raise cv2.error("assertion failed\nin a file")

    monkeypatch.setattr(cv2, "cvtColor", failing)
    (item,) = named([clip]).items
    assert str(item.picture) == f"{clip}: OpenCV fails on it (assertion failed)"


def test_opencv_that_fails_before_the_first_frame(clip: str, cv2: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ImageError, match=r"^camera3000000000: OpenCV fails on it \(OpenCV.*VideoCapture'\)$"):
        next(iter(opencv.camera(3_000_000_000)))

    def failing(*_: object) -> None:
        raise OverflowError("too large")

    monkeypatch.setattr(cv2, "VideoCapture", failing)
    (item,) = named([clip]).items
    assert str(item.picture) == f"{clip}: OpenCV fails on it (too large)"


@pytest.mark.usefixtures("cv2")
def test_no_camera(capfd: pytest.CaptureFixture[str]) -> None:
    if Path("/dev/video0").exists():
        pytest.skip("there is a camera")
    source = cameras.camera(0)
    assert (source.total, source.film, source.live) == (None, True, True)
    with pytest.raises(ImageError, match=r"^camera0: cannot be opened; is it connected, and free\?"):
        next(iter(source.items))
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("cv2")
def test_a_raspberry_pis_own_camera_wants_picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    if Path("/dev/video0").exists():
        pytest.skip("there is a camera")
    own = "; this board's own camera is picamera2's: sudo apt install python3-picamera2, and a virtual environment"
    for board, hint in (("Raspberry Pi 5 Model B Rev 1.0", own), ("Orange Pi 5", "")):
        monkeypatch.setattr(cameras, "board_name", lambda board=board: board)
        with pytest.raises(ImageError) as told:
            next(iter(cameras.camera(0).items))
        assert str(told.value).startswith(f"camera0: cannot be opened; is it connected, and free?{hint}")
        assert ("picamera2" in str(told.value)) == bool(hint)


@pytest.mark.parametrize(
    ("machine", "remedy"),
    [
        ("x86_64", 'pip install "edgecnn[camera]"'),
        ("armv6l", "sudo apt install python3-opencv"),
        ("armv7l", "sudo apt install python3-opencv"),
    ],
)
@pytest.mark.usefixtures("here")
def test_opencv_is_named_where_it_is_missing(machine: str, remedy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    Path("clip.mp4").write_bytes(b"never opened")
    (item,) = named(["clip.mp4"]).items
    assert str(item.picture).endswith(f"; {remedy}")
    with pytest.raises(ImageError, match="need OpenCV"):
        next(iter(cameras.camera(0).items))


class StandIn:
    """picamera2 as its manual describes it, as far as it is used: it cannot be installed but on a Raspberry Pi."""

    calls: list[str]

    def __init__(self, number: int) -> None:
        StandIn.calls = [f"open {number}"]
        self.shots = 0

    @staticmethod
    def global_camera_info() -> list[dict[str, object]]:
        return [{"Model": "imx708", "Num": 0}]

    def create_video_configuration(self, **words: object) -> dict[str, object]:
        return words

    def configure(self, words: dict[str, Any]) -> None:
        assert words["main"]["format"] == "BGR888"
        StandIn.calls.append("configure")

    def start(self) -> None:
        StandIn.calls.append("start")

    def capture_array(self, stream: str) -> Any:
        assert stream == "main"
        if self.shots == 2:
            raise RuntimeError("camera frontend has timed out")
        self.shots += 1
        return np.full((72, 128, 3), COLOURS[0], np.uint8)

    def close(self) -> None:
        StandIn.calls.append("close")


def test_a_raspberry_pis_own_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not picamera.has(0)
    module = SimpleNamespace(Picamera2=StandIn, __spec__=SimpleNamespace())
    monkeypatch.setitem(sys.modules, "picamera2", module)
    assert picamera.has(0)
    assert not picamera.has(1)
    frames = iter(cameras.camera(0).items)
    first, second = next(frames), next(frames)
    assert (first.name, second.name) == ("camera0#000001", "camera0#000002")
    assert not isinstance(first.picture, ImageError)
    assert load(first.picture).getpixel((5, 5)) == COLOURS[0]
    with pytest.raises(ImageError, match=r"^camera0: picamera2 cannot use it \(camera frontend has timed out\)"):
        next(frames)
    assert StandIn.calls == ["open 0", "configure", "start", "close"]
    frames = iter(cameras.camera(0).items)
    next(frames)
    frames.close()  # type: ignore[attr-defined]
    assert StandIn.calls[-1] == "close"


@pytest.mark.parametrize(
    "problem", [ImportError("No module named 'libcamera'"), ValueError("numpy.dtype size changed, may indicate")]
)
def test_picamera2_that_does_not_load(problem: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    real = builtins.__import__

    def broken(name: str, *rest: Any) -> Any:
        if name == "picamera2":
            raise problem
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", broken)
    with pytest.raises(ImageError, match=rf"^picamera2 is installed but does not load \({problem}\)"):
        picamera.has(0)


def test_a_camera_system_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError("failed to start the camera manager")

    module = SimpleNamespace(Picamera2=SimpleNamespace(global_camera_info=broken), __spec__=SimpleNamespace())
    monkeypatch.setitem(sys.modules, "picamera2", module)
    with pytest.raises(ImageError, match=r"^picamera2 cannot say which cameras there are \(failed to start the camera"):
        picamera.has(0)
