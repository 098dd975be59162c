"""Files, folders, patterns and standard input."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable
from io import BufferedReader, BytesIO, FileIO, TextIOWrapper
from pathlib import Path

import pytest

from edgecnn_runtime.errors import ImageError, UsageError
from edgecnn_runtime.image import load
from edgecnn_runtime.pipeline import Item
from edgecnn_runtime.sources import Source, joined, standard_input
from edgecnn_runtime.sources.folder import pictures
from edgecnn_runtime.sources.listing import listed
from edgecnn_runtime.sources.named import named
from edgecnn_runtime.sources.watch import watched
from tests.permissions import as_anybody

pytestmark = pytest.mark.usefixtures("here")


def names(items: Iterable[Item]) -> list[str]:
    return [each.name for each in items]


def test_the_pictures_of_a_folder_in_the_order_of_their_names() -> None:
    assert list(pictures("day", recursive=False)) == ["day/1.jpg", "day/2.JPEG"]
    assert list(pictures("day")) == ["day/1.jpg", "day/2.JPEG", "day/night/3.webp"]
    assert list(pictures(Path("empty"))) == []


def test_no_way_in_a_circle() -> None:
    Path("day/night/up").symlink_to("..")
    assert list(pictures("day")) == ["day/1.jpg", "day/2.JPEG", "day/night/3.webp"]


def test_a_folder_that_cannot_be_listed() -> None:
    with pytest.raises(ImageError, match=r"^none: cannot be listed \(No such file or directory\)"):
        list(pictures("none"))


def test_folders_in_folders_beyond_any_stack() -> None:
    deep = Path("deep", *["d"] * 60)
    deep.mkdir(parents=True)
    Path("red.png").rename(deep / "red.png")
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 50)
    try:
        found = list(pictures("deep"))
    finally:
        sys.setrecursionlimit(usual)
    assert found == [str(deep / "red.png")]


def test_a_folder_that_may_not_be_read_is_an_error_in_its_place(here: Path) -> None:
    here.chmod(0o755)
    Path("day/night").chmod(0)
    Path("day/zoo.png").touch()
    try:
        with as_anybody():
            (alone,) = named(["day/night"]).items
            source = named(["day", "red.png"], recursive=True)
    finally:
        Path("day/night").chmod(0o755)
    assert str(alone.picture) == "day/night: cannot be listed (Permission denied); check its path and permissions"
    assert source.total == 5
    assert names(source.items) == ["day/1.jpg", "day/2.JPEG", "day/night", "day/zoo.png", "red.png"]


def test_what_may_not_be_reached_is_an_error_in_its_place(here: Path) -> None:
    here.chmod(0o755)
    Path("day").chmod(0)
    try:
        with as_anybody():
            picture, film, after = named(["day/1.jpg", "day/film.mp4", "red.png"]).items
            with pytest.raises(UsageError, match=r"^day/night: is not a folder"):
                watched("day/night")
    finally:
        Path("day").chmod(0o755)
    assert picture.picture == "day/1.jpg"  # the error comes when it is opened
    assert str(film.picture).startswith("day/film.mp4: no such file, or none that can be reached")
    assert after.picture == "red.png"
    (long,) = named([f"{'a' * 300}.mp4"]).items
    assert "no such file" in str(long.picture)
    assert names(named([f"{'a' * 300}.png"]).items) == [f"{'a' * 300}.png"]


def test_files_folders_and_patterns_in_the_order_of_the_words() -> None:
    source = named(["none.jpg", "day", "red.png", "day/night"])
    assert source.total == 5
    assert names(source.items) == ["none.jpg", "day/1.jpg", "day/2.JPEG", "red.png", "day/night/3.webp"]
    assert names(named(["day"], recursive=True).items)[-1] == "day/night/3.webp"
    assert names(named(["day/[12].*"]).items) == ["day/1.jpg", "day/2.JPEG"]
    assert names(named(["**/*.webp", "?ed.png"]).items) == ["day/night/3.webp", "red.png"]
    assert names(named([str(Path("day/*.jpg").absolute())]).items) == [str(Path("day/1.jpg").absolute())]
    assert names(named(["da?"]).items) == ["day/1.jpg", "day/2.JPEG"]


def test_a_pattern_of_any_depth_enters_no_link() -> None:
    Path("day/night/up").symlink_to("..")
    Path("day/night/here").symlink_to(".")
    every = ["day/1.jpg", "day/2.JPEG", "day/night/3.webp"]
    for pattern in ("day/**", "day/**/*[!t]", "d*/**/*.*[!t]", "**/day/**/*.[jJw]*", "./day/**/**/*.[jJw]*"):
        assert [os.path.normpath(each) for each in names(named([pattern]).items)] == every, pattern
    top = str(Path.cwd())
    assert names(named([f"{top}/**/*.webp"]).items) == [f"{top}/day/night/3.webp"]
    assert names(named(["day/**/.h*"]).items) == ["day/.hidden.png"]
    assert "day/night/3.webp" in [os.path.normpath(each) for each in names(named(["**"]).items)]


def test_what_fits_a_pattern_twice_is_taken_once() -> None:
    assert names(named(["day/night*", "day/*/*"], recursive=True).items) == ["day/night/3.webp"] * 2
    Path("day/nights").mkdir()
    assert names(named(["day/night*"]).items) == ["day/night/3.webp"]


def test_a_file_whose_name_looks_like_a_pattern() -> None:
    Path("red.png").rename("red[1].png")
    assert names(named(["red[1].png"]).items) == ["red[1].png"]


def test_nothing_there_is_wrong_usage() -> None:
    with pytest.raises(UsageError, match=r"^empty: holds no pictures \(bmp, .*webp\); -r looks into"):
        named(["red.png", "empty"])
    with pytest.raises(UsageError, match=r"^empty: holds no pictures \(.*webp\)$"):
        named(["empty"], recursive=True)
    with pytest.raises(UsageError, match=r"^\*\.gif: no file has such a name"):
        named(["*.gif"])
    with pytest.raises(UsageError, match=r"^emp\*: no folder of such a name holds pictures; check the pattern$"):
        named(["emp*"])


def connect(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(data)))


def test_a_picture_on_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(Path("red.png").read_bytes(), monkeypatch)
    source = named(["-"])
    (item,) = source.items
    assert (item.name, source.total) == ("-", 1)
    assert not isinstance(item.picture, ImageError)
    assert load(item.picture).size == load(item.picture).size == (8, 8)  # more than once, to draw on it


def test_what_is_wrong_with_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    connect(b"", monkeypatch)
    (item,) = named(["-"]).items
    assert str(item.picture) == "standard input: is empty; connect a picture to it"
    connect(b"no picture", monkeypatch)
    (item,) = named(["-"]).items
    assert not isinstance(item.picture, ImageError)
    with pytest.raises(ImageError, match=r"^standard input: not a picture"):
        load(item.picture)
    monkeypatch.setattr(standard_input, "MAX_BYTES", 3_000_000)
    connect(bytes(3_000_001), monkeypatch)
    (item,) = named(["-"]).items
    assert str(item.picture) == "standard input: has more than 3 MB; make it smaller"
    with Path("out").open("wb", buffering=0) as out, FileIO(out.fileno(), "rb", closefd=False) as unreadable:
        monkeypatch.setattr(sys, "stdin", TextIOWrapper(BufferedReader(unreadable)))
        (item,) = named(["-"]).items
        assert str(item.picture).startswith("standard input: cannot be read (Bad file descriptor); connect")
        with pytest.raises(ImageError, match=r"^standard input: cannot be read \(Bad file descriptor\); connect"):
            list(listed("-").items)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(UsageError, match=r"^standard input is closed; connect a picture to it with < or \|"):
        named(["-"])


def test_several_sources_in_one() -> None:
    endless = Source([Item("new", "new")], live=True, film=True)
    both = joined([named(["red.png", "day"]), endless])
    assert (both.total, both.live, both.film) == (None, True, False)
    assert names(both.items) == ["red.png", "day/1.jpg", "day/2.JPEG", "new"]
    assert joined([endless]).film
    assert joined([named(["red.png"]), named(["day"])]).total == 3
