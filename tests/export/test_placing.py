"""Files and folders take their names together or not at all, wherever an interrupt falls."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from edgecnn_export.placing import place, remove, written


def tree(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in folder.rglob("*") if path.is_file()}


def pairs(folder: Path) -> list[tuple[Path, Path]]:
    (folder / ".a.tmp").write_text("new a")
    (folder / ".b.tmp").mkdir()
    (folder / ".b.tmp" / "inside").write_text("new b")
    return [(folder / ".a.tmp", folder / "a"), (folder / ".b.tmp", folder / "b")]


def before(folder: Path) -> None:
    (folder / "a").write_text("old a")
    (folder / "b").mkdir()
    (folder / "b" / "inside").write_text("old b")
    (folder / "b" / "stray").write_text("old")


@pytest.mark.parametrize("there", [False, True])
def test_all_are_placed_and_nothing_of_the_old_stays(there: bool, tmp_path: Path) -> None:
    if there:
        before(tmp_path)
    place(pairs(tmp_path))
    assert tree(tmp_path) == {"a": "new a", "b/inside": "new b"}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("there", "step"), [(False, 0), (False, 1), (True, 0), (True, 1), (True, 2), (True, 3)])
def test_an_interrupt_at_any_rename_leaves_what_was_there(
    there: bool, step: int, late: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if there:
        before(tmp_path)
    as_it_was = tree(tmp_path)
    new = pairs(tmp_path)
    rename, count = Path.rename, iter(range(100))

    def interrupted(path: Path, target: Path) -> Path:
        hit = next(count) == step
        if hit and not late:
            raise KeyboardInterrupt
        renamed = rename(path, target)
        if hit:
            raise KeyboardInterrupt
        return renamed

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        place(new)
    for temporary, _ in new:
        remove(temporary)
    assert tree(tmp_path) == as_it_was


def test_what_a_killed_process_left_does_not_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".b.old").mkdir()
    (tmp_path / ".b.old" / "inside").write_text("older")
    before(tmp_path)
    as_it_was = tree(tmp_path) | {".b.old/inside": "older"}
    new = pairs(tmp_path)
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        place(new)
    monkeypatch.undo()
    for temporary, _ in new:
        remove(temporary)
    assert tree(tmp_path) == {name: text for name, text in as_it_was.items() if not name.startswith(".b.old")}


def test_what_a_killed_process_left_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / ".b.old").mkdir()
    (tmp_path / ".b.old" / "inside").write_text("older")
    before(tmp_path)
    place(pairs(tmp_path))
    assert tree(tmp_path) == {"a": "new a", "b/inside": "new b"}


def test_a_file_that_is_written_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with written(tmp_path / "a") as own:
        own.write_text("new")
        assert tree(tmp_path) == {"a": "old", own.name: "new"}
    assert tree(tmp_path) == {"a": "new"}


@pytest.mark.parametrize("problem", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_file_that_is_not_finished_leaves_the_old_one(problem: BaseException, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises((KeyboardInterrupt, OSError)), written(tmp_path / "a") as own:
        own.write_text("half")
        raise problem
    assert tree(tmp_path) == {"a": "old"}


def test_a_file_that_does_not_reach_the_disk_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    (tmp_path / "a").write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"), written(tmp_path / "a") as own:
        own.write_text("new")
    assert tree(tmp_path) == {"a": "old"}
    with pytest.raises(OSError, match="No space left"):
        place(pairs(tmp_path))
    assert (tmp_path / "a").read_text() == "old"


def test_a_folder_that_is_none_is_what_is_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a file")
    with pytest.raises(NotADirectoryError), written(tmp_path / "a" / "b") as own:
        own.write_text("new")
