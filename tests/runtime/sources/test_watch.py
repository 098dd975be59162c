"""Pictures that appear in a folder: real files, written in the ways that cameras and programs write them."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from queue import Queue
from types import SimpleNamespace

import pytest
from PIL import Image

from edgecnn_runtime.errors import ImageError, UsageError
from edgecnn_runtime.image import load
from edgecnn_runtime.sources import watch
from edgecnn_runtime.sources.watch import watched
from tests.permissions import as_anybody

Watching = Callable[..., Queue[str]]


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "POLL_SECONDS", 0.02)


@pytest.fixture
def inbox(here: Path) -> Path:
    (here / "inbox").mkdir()
    shutil.copy("red.png", "inbox/before.png")
    return here / "inbox"


@pytest.fixture
def watching(inbox: Path) -> Iterator[Watching]:
    """Watch ``inbox``; names of what appears, each a picture that can be decoded at that moment."""
    threads = []

    def begin(recursive: bool = False) -> Queue[str]:
        found: Queue[str] = Queue()
        items = watched("inbox", recursive).items

        def take() -> None:
            try:
                for item in items:
                    assert item.picture == item.name
                    found.put(item.name if load(item.name) else "")
            except ImageError as problem:
                found.put(str(problem))

        threads.append(threading.Thread(target=take))
        threads[-1].start()
        return found

    yield begin
    shutil.rmtree(inbox, ignore_errors=True)
    for thread in threads:
        thread.join()


def test_it_goes_on_for_ever(inbox: Path) -> None:
    source = watched("inbox")
    assert (source.live, source.film, source.total) == (True, True, None)


def test_what_is_renamed_into_place(watching: Watching) -> None:
    found = watching()
    for name in ("a.png", "b.jpg"):
        Image.new("RGB", (90, 90), "red").save(f"half{Path(name).suffix}")
        Path(f"half{Path(name).suffix}").rename(f"inbox/{name}")
        assert found.get(timeout=10) == f"inbox/{name}"
    time.sleep(0.2)
    assert found.empty()  # each once, and nothing that was there before


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_what_is_written_slowly(ending: str, watching: Watching) -> None:
    Image.effect_noise((64, 64), 90).convert("RGB").save(f"noise.{ending}")
    data = Path(f"noise.{ending}").read_bytes()
    found = watching()
    with Path(f"inbox/slow.{ending}").open("wb", buffering=0) as file:
        for start in range(0, len(data), len(data) // 5 + 1):
            file.write(data[start : start + len(data) // 5 + 1])
            time.sleep(0.1)  # several looks, and no end mark
    assert found.get(timeout=10) == f"inbox/slow.{ending}"


def test_a_format_without_an_end_mark_must_rest(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "SETTLED_SECONDS", 0.4)
    found = watching()
    Image.new("RGB", (8, 8)).save("inbox/a.bmp")
    begun = time.monotonic()
    assert found.get(timeout=10) == "inbox/a.bmp"
    assert time.monotonic() - begun > 0.3


def test_a_picture_that_is_written_again_is_taken_again(watching: Watching) -> None:
    found = watching()
    for colour in ("red", "blue", "red"):
        Image.new("RGB", (40, 40), colour).save("inbox/latest.png")
        assert found.get(timeout=10) == "inbox/latest.png"
    Image.new("RGB", (40, 40), "blue").save("inbox/before.png")
    assert found.get(timeout=10) == "inbox/before.png"


def test_a_picture_of_the_same_size_a_moment_later_is_another(inbox: Path) -> None:
    written = 10**18
    os.utime("inbox/before.png", ns=(written, written))
    looks = watch._Watch("inbox", recursive=False)
    os.utime("inbox/before.png", ns=(written, written + 10**6))
    assert looks.look() == []
    time.sleep(0.01)
    assert [each.name for each in looks.look()] == ["inbox/before.png"]


def test_the_oldest_comes_first(inbox: Path) -> None:
    looks = watch._Watch("inbox", recursive=False)
    for age, name in enumerate(("a", "m", "z")):
        shutil.copy("red.png", f"inbox/{name}.png")
        os.utime(f"inbox/{name}.png", ns=(10**18, 10**18 - age * 10**6))
    assert looks.look() == []
    time.sleep(0.01)
    assert [each.name for each in looks.look()] == ["inbox/z.png", "inbox/m.png", "inbox/a.png"]


def test_a_file_system_that_numbers_its_files_anew(inbox: Path) -> None:
    looks = watch._Watch("inbox", recursive=False)
    before = (inbox / "before.png").stat()
    shutil.copy2("inbox/before.png", "same.png")
    Path("same.png").rename("inbox/before.png")
    after = (inbox / "before.png").stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert after.st_ino != before.st_ino
    for _ in range(3):
        assert looks.look() == []
        time.sleep(0.01)


def test_a_disk_that_goes_and_comes_back(here: Path) -> None:
    """Two file systems take turns in one place; what was known of the one is not answered again."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as other:
        if Path(other).stat().st_dev == here.stat().st_dev:
            pytest.skip("/dev/shm is no file system of its own")
        stick, place = here / "stick", here / "mounted"
        stick.mkdir()
        shutil.copy("red.png", stick / "before.png")
        place.symlink_to(stick)
        looks = watch._Watch("mounted", recursive=False)

        def mounted(folder: Path) -> list[str]:
            place.unlink()
            place.symlink_to(folder)
            looks.look()
            time.sleep(0.01)
            return [each.name for each in looks.look()]

        assert mounted(Path(other)) == []
        shutil.copy("red.png", other)  # a camera that goes on
        assert mounted(Path(other)) == ["mounted/red.png"]
        shutil.copy("red.png", stick / "meanwhile.png")
        assert mounted(stick) == ["mounted/meanwhile.png"]
        (stick / "before.png").unlink()
        assert mounted(stick) == []
        assert mounted(Path(other)) == []
        assert sorted(map(len, looks._known.values())) == [1, 1]


def test_what_is_no_picture_yet_or_never_is_one(watching: Watching) -> None:
    found = watching()
    shutil.copy("red.png", "inbox/.hidden.png")
    shutil.copy("red.png", "inbox/red.png.part")
    Path("inbox/empty.png").touch()
    Path("inbox/folder.png").mkdir()
    Path("inbox/below").mkdir()
    shutil.copy("red.png", "inbox/below/deep.png")
    os.mkfifo("inbox/pipe.jpg")
    time.sleep(0.2)
    shutil.copy("red.png", "inbox/last.png")
    assert found.get(timeout=10) == "inbox/last.png"


def test_what_stays_empty_is_taken_late_and_again_when_it_is_filled(
    inbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("inbox/before.jpg").touch()
    looks = watch._Watch("inbox", recursive=False)
    Path("inbox/empty.png").touch()
    os.mkfifo("inbox/pipe.jpg")
    seconds = iter((0.0, 2.0, 9.9, 10.0, 20.0, 30.0, 30.2, 60.0))
    monkeypatch.setattr(watch, "time", SimpleNamespace(monotonic=seconds.__next__))

    def names() -> list[str]:
        return [each.name for each in looks.look()]

    assert [names() for _ in range(5)] == [[], [], [], ["inbox/empty.png"], []]
    shutil.copy("red.png", "inbox/empty.png")
    assert [names() for _ in range(3)] == [[], ["inbox/empty.png"], []]


def test_what_stays_empty_is_a_bad_picture(watching: Watching, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "EMPTY_SECONDS", 0.1)
    found = watching()
    Path("inbox/empty.png").touch()
    assert found.get(timeout=10) == "inbox/empty.png: is empty; copy it again"


def test_folders_below_with_recursive(watching: Watching) -> None:
    found = watching(recursive=True)
    for place in ("inbox/monday", "inbox/monday/noon"):
        Path(place).mkdir()
        shutil.copy("red.png", place)
        assert found.get(timeout=10) == f"{place}/red.png"


def test_a_folder_that_goes_is_an_error(inbox: Path, watching: Watching) -> None:
    with pytest.raises(UsageError, match=r"^inbox/none: is not a folder"):
        watched("inbox/none")
    found = watching()
    shutil.rmtree(inbox)
    gone = "inbox: cannot be listed (No such file or directory); check its path and permissions"
    assert found.get(timeout=10) == gone


def test_a_folder_below_that_cannot_be_listed_is_told_once_and_hides_no_other(inbox: Path) -> None:
    for folder in (inbox.parent, inbox):
        folder.chmod(0o755)
    Path("inbox/shut").mkdir()
    shutil.copy("red.png", "inbox/shut/before.png")
    os.chmod("inbox/shut", 0o755)  # noqa: PTH101
    with as_anybody():
        looks = watch._Watch("inbox", recursive=True)
        assert looks.look() == []
    Path("inbox/shut").chmod(0)
    shutil.copy("red.png", "inbox/new.png")
    with as_anybody():
        (problem,) = looks.look()
        assert str(problem.picture).startswith("inbox/shut: cannot be listed (Permission denied)")
        assert [each.name for each in looks.look()] == ["inbox/new.png"]
    Path("inbox/shut").chmod(0o755)
    shutil.copy("red.png", "inbox/shut/after.png")
    with as_anybody():
        assert looks.look() == []
        assert [each.name for each in looks.look()] == ["inbox/shut/after.png"]  # and not the one from before


def test_the_watched_folder_itself_must_stay_readable(inbox: Path) -> None:
    for folder in (inbox.parent, inbox):
        folder.chmod(0o755)
    looks = watch._Watch("inbox", recursive=False)
    inbox.chmod(0)
    try:
        with as_anybody(), pytest.raises(ImageError, match=r"^inbox: cannot be listed \(Permission denied\)"):
            looks.look()
    finally:
        inbox.chmod(0o755)


def test_a_full_folder_is_looked_at_less_often() -> None:
    assert watch.pause(0.001) == watch.POLL_SECONDS
    assert watch.pause(0.1) == pytest.approx(0.9)
