"""The cache is the original, whole, or not there."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from edgecnn.data import cifar10, cifar10_cache
from edgecnn.data.cifar10_cache import Arrays
from edgecnn.data.folder import data_folder
from edgecnn_runtime.errors import DataError


def test_what_is_written_is_loaded(arrays: Arrays, tmp_path: Path) -> None:
    cifar10_cache.write(arrays, cifar10.cache_folder(tmp_path), "a copy")
    loaded = cifar10.load(tmp_path)
    assert (loaded.train.name, loaded.test.name) == ("cifar10/train", "cifar10/test")
    assert (len(loaded.train), len(loaded.test)) == (50, 10)
    np.testing.assert_array_equal(loaded.train.images, arrays["x_train"])
    np.testing.assert_array_equal(loaded.test.labels, arrays["y_test"])
    assert loaded.test.labels.dtype == np.int64
    assert loaded.train.label_names[3] == "cat"


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError) as problem:
        cifar10.load(tmp_path)
    command = f"edgecnn data cifar10 --data {tmp_path}"
    assert str(problem.value) == f"CIFAR-10 is not in {tmp_path}/cifar10; fetch it with: {command}"


def test_missing_in_the_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGECNN_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"fetch it with: edgecnn data cifar10$"):
        cifar10.load()


def test_one_file_missing(arrays: Arrays, tmp_path: Path) -> None:
    cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    (tmp_path / "cifar10" / "y_test.npy").unlink()
    with pytest.raises(DataError, match="CIFAR-10 is not in"):
        cifar10.load(tmp_path)


def test_altered(arrays: Arrays, tmp_path: Path) -> None:
    cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    path = tmp_path / "cifar10" / "x_test.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    remedy = f"fetch it again with: edgecnn data cifar10 --data {tmp_path}"
    with pytest.raises(DataError, match=rf"x_test differs; {remedy}$"):
        cifar10.load(tmp_path)


@pytest.mark.parametrize("change", [lambda x: x.reshape(10, -1), lambda x: x.view(np.int8)])
def test_same_bytes_in_another_form(change: object, arrays: Arrays, tmp_path: Path) -> None:
    assert callable(change)
    cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    np.save(tmp_path / "cifar10" / "x_test.npy", change(arrays["x_test"]))
    with pytest.raises(DataError, match="x_test differs"):
        cifar10.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x93NUMPY", b"PK\x03\x04", b"no array"])
def test_damaged(content: bytes, arrays: Arrays, tmp_path: Path) -> None:
    cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    (tmp_path / "cifar10" / "y_train.npy").write_bytes(content)
    with pytest.raises(DataError, match="is damaged; fetch it again"):
        cifar10.load(tmp_path)


def test_unreadable(arrays: Arrays, tmp_path: Path) -> None:
    cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    (tmp_path / "cifar10" / "y_train.npy").unlink()
    (tmp_path / "cifar10" / "y_train.npy").mkdir()
    with pytest.raises(DataError, match=r"cannot read .*cifar10: Is a directory; choose another"):
        cifar10.load(tmp_path)


def test_a_pickle_in_the_cache_is_not_run(arrays: Arrays, tmp_path: Path) -> None:
    cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    np.save(tmp_path / "cifar10" / "y_train.npy", np.array([{}], object), allow_pickle=True)
    with pytest.raises(DataError, match="is damaged"):
        cifar10.load(tmp_path)


def test_wrong_content_is_not_cached(arrays: Arrays, tmp_path: Path) -> None:
    wrong = arrays | {"y_train": arrays["y_train"][::-1]}
    with pytest.raises(DataError, match="a copy is not the original CIFAR-10: y_train differs"):
        cifar10_cache.write(wrong, tmp_path / "cifar10", "a copy")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("before", [False, True], ids=["empty", "cached before"])
def test_an_interrupted_write_leaves_all_as_it_was(
    before: bool, arrays: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before:
        cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    contents = {path: path.read_bytes() for path in tmp_path.rglob("*.npy")}
    save = cifar10_cache._save

    def interrupted(path: Path, array: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]) -> None:
        if path.name == "x_test.npy":
            path.write_bytes(b"half")
            raise KeyboardInterrupt
        save(path, array)

    monkeypatch.setattr(cifar10_cache, "_save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.npy")} == contents
    assert len(list(tmp_path.iterdir())) == before


@pytest.mark.parametrize("before", [False, True], ids=["empty", "cached before"])
def test_a_disk_that_is_full_when_the_arrays_are_to_stay(
    before: bool, arrays: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if before:
        cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    kept = {path: path.stat().st_ino for path in tmp_path.rglob("*")}

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"cannot write .*cifar10: No space left on device; choose another"):
        cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    assert {path: path.stat().st_ino for path in tmp_path.rglob("*")} == kept


def test_a_new_cache_takes_the_place_of_an_old_one(arrays: Arrays, tmp_path: Path) -> None:
    (tmp_path / "cifar10").mkdir()
    (tmp_path / "cifar10" / "y_train.npy").write_bytes(b"old")
    cifar10_cache.write(arrays, tmp_path / "cifar10", "a copy")
    assert len(cifar10.load(tmp_path).train) == 50
    assert [path.name for path in tmp_path.iterdir()] == ["cifar10"]


def test_a_folder_that_cannot_be_written(arrays: Arrays, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"cannot write .*file/cifar10: .*; choose another with --data"):
        cifar10_cache.write(arrays, tmp_path / "file" / "cifar10", "a copy")


def test_which_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_folder() == tmp_path / "user-cache" / "edgecnn"
    monkeypatch.setenv("EDGECNN_DATA", str(tmp_path / "environment"))
    assert data_folder() == tmp_path / "environment"
    assert data_folder(tmp_path / "given") == tmp_path / "given"
    assert cifar10.cache_folder(tmp_path / "given") == tmp_path / "given" / "cifar10"


def test_no_folder_is_known_without_platformdirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    with pytest.raises(DataError, match=r"set EDGECNN_DATA, or run: pip install platformdirs$"):
        data_folder()
