"""Pictures with their label drawn on."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFont

from edgecnn_runtime import annotate
from edgecnn_runtime.annotate import Folder, drawn
from edgecnn_runtime.errors import ImageError, UsageError

SIZES = [(32, 32), (299, 299), (640, 480), (480, 640), (2000, 1500), (1, 1000), (1000, 1), (1, 1), (5000, 40)]


@pytest.mark.parametrize("colour", ["white", "black", "red"])
@pytest.mark.parametrize("size", SIZES)
def test_white_letters_on_black_in_any_picture(size: tuple[int, int], colour: str) -> None:
    picture = drawn(Image.new("RGB", size, colour), "frog 99.6%")
    pixels = np.asarray(picture).astype(int)
    letters = max(min(pixels.shape[:2]) // 16, 14)
    box = pixels[-letters - 2 * (letters // 3) :, : 4 * letters]
    assert (box.min(), box.max()) == (0, 255)
    grey = box.max(-1) - box.min(-1) == 0
    assert grey.all()
    assert 0.05 < (box > 128).mean() < 0.5
    assert picture.width >= 224
    assert max(picture.size) <= max(4096, *size)


def test_a_picture_that_is_large_enough_keeps_its_size_and_its_pixels() -> None:
    picture = Image.effect_noise((640, 480), 90).convert("RGB")
    before = picture.tobytes()
    result = drawn(picture, "frog 99.6%")
    assert result.size == (640, 480)
    assert (np.asarray(result)[:400] == np.asarray(picture)[:400]).all()
    assert picture.tobytes() == before


def test_a_small_picture_is_enlarged_and_stays_sharp() -> None:
    picture = Image.effect_noise((32, 32), 90).convert("RGB")
    result = np.asarray(drawn(picture, "frog 99.6%"))
    assert result.shape == (224, 224, 3)
    assert (result[: 7 * 20] == np.asarray(picture).repeat(7, 0).repeat(7, 1)[: 7 * 20]).all()


def test_a_long_text_is_cut() -> None:
    def dark(text: str) -> int:
        return int((np.asarray(drawn(Image.new("RGB", (300, 300), "white"), text))[-10] == 0).sum())

    assert dark("frog") < dark("a long label 99.6%") < dark("long " * 50) <= 300 * 3
    assert drawn(Image.new("RGB", (300, 300)), "long " * 50).size == (300, 300)


def test_letters_outside_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    white = Image.new("RGB", (300, 300), "white")
    monkeypatch.setattr(annotate, "_FONT", "no such font.ttf")
    if not annotate._HAS_FONT:
        with pytest.raises(ImageError, match="there is no font to draw its label; install fonts-dejavu-core"):
            drawn(white, "blå 1.0%")
        return
    assert drawn(white, "blå 1.0%").tobytes() == drawn(white, "bla 1.0%").tobytes()
    assert drawn(white, "日本").tobytes() == drawn(white, "?").tobytes()
    monkeypatch.undo()
    try:
        ImageFont.truetype("DejaVuSans.ttf", 14)
    except OSError:
        pytest.skip("DejaVu Sans is not installed")
    assert drawn(white, "blå 1.0%").tobytes() != drawn(white, "bla 1.0%").tobytes()


def test_a_pillow_without_a_font_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 10.1 it has one size of letters only, too small to read in a photograph."""
    monkeypatch.setattr(annotate, "_HAS_FONT", False)
    monkeypatch.setattr(annotate, "_FONT", "no such font.ttf")
    with pytest.raises(ImageError, match="no font to draw its label; install fonts-dejavu-core"):
        drawn(Image.new("RGB", (320, 240)), "frog 99.6%")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a/cam.jpg", "b/cam.jpg", "b/tree.png"):
        Path(name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (300, 300), "green").save(name)
    return tmp_path


@pytest.mark.usefixtures("here")
def test_a_name_that_is_taken_gets_a_number() -> None:
    folder = Folder("out")
    assert [str(folder.write(name, name, "x")) for name in ("a/cam.jpg", "b/cam.jpg", "b/tree.png")] == [
        "out/cam.jpg",
        "out/cam-2.jpg",
        "out/tree.png",
    ]
    assert str(Folder("out").write("a/cam.jpg", "a/cam.jpg", "x")) == "out/cam-3.jpg"
    assert Path("out/cam.jpg").read_bytes().startswith(b"\xff\xd8")
    assert Path("out/tree.png").read_bytes().startswith(b"\x89PNG")
    assert len(os.listdir("out")) == 4  # noqa: PTH208


@pytest.mark.usefixtures("here")
def test_the_next_number_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    folder, tried, link = Folder("out"), [], os.link

    def counted(part: Path, place: Path) -> None:
        tried.append(place.name)
        link(part, place)

    monkeypatch.setattr(os, "link", counted)
    for _ in range(5):
        folder.write("cam.jpg", "a/cam.jpg", "x")
    assert tried == ["cam.jpg", "cam.jpg", "cam-2.jpg", "cam-3.jpg", "cam-4.jpg", "cam-5.jpg"]
    Path("out/cam-3.jpg").unlink()
    assert folder.write("cam.jpg", "a/cam.jpg", "x").name == "cam-6.jpg"


@pytest.mark.usefixtures("here")
def test_what_does_not_fit_into_memory_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(annotate, "drawn", full)
    with pytest.raises(ImageError, match=r"^cam\.jpg: does not fit into memory with its label"):
        Folder("out").write("cam.jpg", "a/cam.jpg", "x")


@pytest.mark.parametrize("text", ["frog", "blå"])
def test_a_pillow_without_freetype(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise ImportError("The _imagingft C module is not installed")

    monkeypatch.setattr(ImageFont, "FreeTypeFont", missing)
    with pytest.raises(ImageError, match=r"^its label cannot be drawn: this Pillow was built without FreeType"):
        drawn(Image.new("RGB", (320, 240)), text)


@pytest.mark.usefixtures("here")
def test_the_picture_itself_is_never_written_over() -> None:
    before = {path: path.read_bytes() for path in Path().rglob("*.jpg")}
    assert str(Folder("a").write("a/cam.jpg", "a/cam.jpg", "x")) == "a/cam-2.jpg"
    assert {path: path.read_bytes() for path in before} == before


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("-", "picture.png"),
        ("http://10.0.0.7/snap/cam.JPG?size=large", "cam.jpg"),
        ("http://10.0.0.7/", "10.0.0.7.png"),
        ("clip.mp4#000012", "clip.mp4-000012.jpg"),
        ("camera0#000001", "camera0-000001.jpg"),
        ("/x/../..", "picture.png"),
        ("a b\x1b[2J\n.webp", "a-b-2J.png"),
        ("x" * 300 + ".jpg", "x" * 100 + ".jpg"),
        ("x" + "\u732b" * 82 + ".png", "x" + "\u732b" * 33 + ".png"),
        ("blå.bmp", "blå.png"),
        ("a#1.png", "a-1.png"),
    ],
)
def test_names(here: Path, name: str, file: str) -> None:
    assert Folder("out").write(name, "a/cam.jpg", "x") == Path("out", file)
    assert {path.name for path in here.rglob("*")} == {"a", "b", "out", "cam.jpg", "tree.png", file}


@pytest.mark.usefixtures("here")
def test_a_memory_card_has_no_links(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object) -> None:
        raise OSError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    folder = Folder("out")
    assert [str(folder.write("cam.jpg", "a/cam.jpg", "x")) for _ in range(2)] == ["out/cam.jpg", "out/cam-2.jpg"]


@pytest.mark.usefixtures("here")
def test_a_link_to_nowhere_is_not_replaced() -> None:
    folder = Folder("out")
    Path("out/cam.jpg").symlink_to("nowhere")
    assert str(folder.write("cam.jpg", "a/cam.jpg", "x")) == "out/cam-2.jpg"
    assert Path("out/cam.jpg").is_symlink()


@pytest.mark.usefixtures("here")
def test_nothing_half_written_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Folder("out")

    write = Path.write_bytes

    def full(place: Path, data: bytes) -> int:
        write(place, data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(ImageError, match=r"^cam\.jpg: cannot be written to out \(No space left on device\)"):
        folder.write("cam.jpg", "a/cam.jpg", "x")
    assert not list(Path("out").iterdir())
    with pytest.raises(ImageError, match=r"^none\.jpg: no such file"):
        folder.write("none.jpg", "none.jpg", "x")


@pytest.mark.usefixtures("here")
def test_a_disk_that_takes_a_part_of_a_jpeg() -> None:
    """The system cuts such a write short and calls it good; only the next one fails."""
    noise = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
    folder = Folder("out")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_096, limits[1]))
    try:
        with pytest.raises(ImageError, match=r"^cam\.jpg: cannot be written to out \(File too large\)"):
            folder.write("cam.jpg", noise, "x")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert not list(Path("out").iterdir())


@pytest.mark.usefixtures("here")
def test_what_a_killed_process_left_half_written_goes() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait(60)
    dead = process.pid
    others = {f".cam.{os.getpid()}.part", ".cam.1.part", ".cam.0.part", f".cam.{10**30}.part", ".cam.part"}
    others |= {f"cam.{dead}.part", f".cam.{dead}.png", f".cam.{dead}.part.png"}
    Path("out").mkdir()
    for name in {f".cam.{dead}.part", f".a.b.{dead}.part", *others}:
        Path("out", name).write_bytes(b"half")
    Path(f"out/.folder.{dead}.part").mkdir()
    Folder("out")
    assert {each.name for each in Path("out").iterdir()} == others | {f".folder.{dead}.part"}


@pytest.mark.usefixtures("here")
def test_a_folder_that_cannot_be_made() -> None:
    with pytest.raises(UsageError, match=r"^a/cam\.jpg: cannot be made a folder \(File exists\)"):
        Folder("a/cam.jpg")
