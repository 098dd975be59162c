"""Each bad picture ends in pixels or in one line, soon and in little memory."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import PIL
import pytest
from PIL import Image

from edgecnn_runtime import picture_file, rgb
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import ImageError
from edgecnn_runtime.image import load, pixels
from edgecnn_runtime.picture_file import opened
from tests.permissions import as_anybody
from tests.runtime import bad_pictures
from tests.runtime.bad_pictures import encoded, no_files, png, scene, tiff_of_strips

MEGABYTES = 512

# Pillow 9.4, which Debian has for 32-bit ARM, gives up at counts that 32 bits do not hold.
TOO_MUCH = (
    [f"exif-type-{kind}-1-4294967295.jpeg" for kind in (5, 10, 12)]
    if int(PIL.__version__.partition(".")[0]) < 10 and sys.maxsize < 2**32
    else []
)

# VmHWM is the largest part of memory that a process has had.
CLASSIFY = """
import sys
from edgecnn.cli.main import run
status = run(sys.argv[1:])
sys.stdout.flush()
with open("/proc/self/status") as file:
    print(next(line.split()[1] for line in file if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(status)
"""


def test_all_of_them_in_one_folder(int8: Path, tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    bad_pictures.main(pictures)
    words = ["classify", str(pictures), "--json", "--threads", "1", "--model", str(int8)]
    ended = subprocess.run(
        [sys.executable, "-c", CLASSIFY, *words], capture_output=True, text=True, timeout=600, check=False
    )
    *errors, kilobytes = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert int(kilobytes) < 1000 * MEGABYTES
    classified = {Path(json.loads(line)["file"]).name for line in ended.stdout.splitlines()}
    refused = {line.removeprefix(f"error: {pictures}/").partition(":")[0] for line in errors}
    expected = {each.name: each.usable for each in bad_pictures.every()} | dict.fromkeys(TOO_MUCH, None)
    assert not classified & refused
    assert classified | refused >= expected.keys()
    assert not {name for name, usable in expected.items() if usable is True} - classified
    assert not {name for name, usable in expected.items() if usable is False} - refused
    # Folders in folders are not looked into; what else is called like a picture is told of.
    assert classified | refused == expected.keys() | {each.name for each in pictures.iterdir() if not each.is_dir()}
    assert all(line.isprintable() and len(line) < 300 for line in errors)
    assert len(errors) == len(refused)


def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    complaints = [
        "is not a file",
        "is a folder",
        "symbolic links",
        "no such file",
        "is a folder",
        "is not a file",
        "MB",
    ]
    for path, complaint in zip(no_files(tmp_path), complaints, strict=True):
        with pytest.raises(ImageError, match=rf"{path.name}: .*{complaint}"):
            load(path)


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.png"
    path.write_bytes(encoded(scene(), "PNG"))
    path.chmod(0)
    with as_anybody(), pytest.raises(ImageError, match=r"mine\.png: cannot be read \(Permission denied\); check its"):
        load(path)


def test_the_corpus_is_always_the_same() -> None:
    first, second = (list(bad_pictures.cut()) + list(bad_pictures.metadata()) for _ in range(2))
    assert first == second
    names = [each.name for each in bad_pictures.every()]
    assert len(names) == len(set(names)) > 4900


def test_a_large_jpeg_is_decoded_at_a_scale_whatever_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a picture of 200 megapixels only what is decoded of it counts; of a progressive one all."""
    monkeypatch.setattr(picture_file, "MAX_PIXELS", 10_000)
    monkeypatch.setitem(picture_file.FEWER_PIXELS, "progressive JPEG", 10_000)
    spec = InputSpec(16, 16)
    data = BytesIO(encoded(scene(256, 256), "JPEG"))
    assert pixels(data, spec).shape == (16, 16, 3)
    with pytest.raises(ImageError, match="more than 0 megapixels"):
        load(data)
    with pytest.raises(ImageError, match="more than 0 megapixels"):
        pixels(BytesIO(encoded(scene(256, 256), "JPEG", progressive=True)), spec)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "JPEG2000"])
def test_a_metered_file_is_read_like_any_other(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "picture"
    path.write_bytes(encoded(scene(60, 40), kind))
    plain = load(path).tobytes()
    monkeypatch.setattr(picture_file, "_SMALL", 0)
    assert load(path).tobytes() == load(BytesIO(path.read_bytes())).tobytes() == plain


def test_a_file_in_memory_is_no_larger_than_one_on_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture_file, "MAX_BYTES", 100)
    with pytest.raises(ImageError, match="more than 0 MB"):
        load(BytesIO(encoded(scene(), "PNG")))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "I;16", "I", "F"])
def test_strips_leave_no_trace(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = scene(7, 31).convert("I" if mode == "I;16" else mode)
    if "I" in mode:
        picture = picture.point(lambda value: value * 256).convert(mode)
    if "A" in mode:
        picture.putalpha(scene(7, 31).getchannel(0))
    whole = load(picture).tobytes()
    monkeypatch.setattr(rgb, "_STRIP", 20)
    assert load(picture).tobytes() == whole
    assert len(set(whole)) > 10


def test_floats_are_judged_by_all_strips(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = Image.new("F", (10, 6), 0.5)
    picture.paste(255, (0, 5, 10, 6))
    monkeypatch.setattr(rgb, "_STRIP", 20)
    grey = load(picture).getchannel(0)
    assert grey.getpixel((0, 0)) in (0, 1)
    assert grey.getpixel((0, 5)) == 255


def test_strips_are_not_read_in_whole_blocks(tmp_path: Path) -> None:
    """Before Pillow 12 each strip costs a block, which a file that is metered must not pay for."""
    path = tmp_path / "strips.tif"
    path.write_bytes(tiff_of_strips(1000, rows=2, strips=700))
    with path.open("rb") as file:
        image: Any = opened(file)
        assert len(image.tile) == 700
        assert len(image.tile) * image.decodermaxblock <= path.stat().st_size
        assert load(path).size == (1000, 1400)


def test_bytes_that_are_read_for_every_strip_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "again.tif"
    path.write_bytes(tiff_of_strips(1000, rows=1001, strips=20, in_one_place=True))
    assert picture_file._SMALL < path.stat().st_size < 1_010_000
    with pytest.raises(ImageError, match=r"again\.tif: holds too much besides its pixels; save it again"):
        load(path)


@pytest.mark.parametrize("size", [(1, 65_536), (65_536, 1)])
def test_no_side_is_longer_than_memory_bears(size: tuple[int, int], tmp_path: Path) -> None:
    Image.new("L", size).save(tmp_path / "thin.png")
    with pytest.raises(ImageError, match=r"thin\.png: is wider or higher than 65,535 pixels; cut it"):
        load(tmp_path / "thin.png")


def test_a_pillow_without_a_format(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Image.OPEN, "WEBP", (None, lambda _: "image file could not be identified"))
    with pytest.raises(ImageError, match=r"^the picture: is WEBP, which this Pillow was built without"):
        load(BytesIO(b"RIFF\0\0\0\0WEBPVP8 "))


def test_a_pipe_that_cannot_be_sought() -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours, "rb", buffering=0) as pipe, os.fdopen(theirs, "wb") as writer:
        Image.new("RGB", (8, 6), "red").save(writer, "PNG")
        writer.close()
        assert load(pipe).size == (8, 6)


def test_text_that_unpacks_to_gigabytes_is_not_unpacked() -> None:
    row = b"\0" + bytes(3 * 4)
    assert load(BytesIO(png(4, 4, row * 4))).size == (4, 4)
    bombs = [each for each in bad_pictures.metadata() if "-bomb.png" in each.name]
    assert len(bombs) == 4
    assert all(len(each.data) < 150_000 for each in bombs)


def test_a_pipe_stays_unread(tmp_path: Path) -> None:
    pipe = no_files(tmp_path)[0]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(pipe, os.O_WRONLY)
    os.write(writer, b"picture")
    with pytest.raises(ImageError, match="is not a file"):
        load(pipe)
    assert os.read(reader, 100) == b"picture"
    os.close(reader)
    os.close(writer)
