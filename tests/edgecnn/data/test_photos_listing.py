"""Which photographs a set has: folders, train/ and val/, CSV, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgecnn.data.photos_listing import Photo, read, unread
from edgecnn_runtime.errors import DataError
from tests.permissions import as_anybody

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Make empty files in a folder; nothing here opens them."""

    def made(*names: str) -> Path:
        folder = tmp_path / "photos"
        folder.mkdir(exist_ok=True)
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return folder

    return made


def names(photos: list[Photo], folder: Path) -> list[tuple[str, str]]:
    return [(str(photo.path.relative_to(folder)), photo.label) for photo in photos]


def test_one_folder_a_class_in_the_order_of_the_names(make: Make) -> None:
    folder = make("dog/b.JPG", "cat/2.png", "dog/a.webp", "cat/1.jpeg", "dog/2023/may/c.tif")
    listing = read(folder)
    assert list(listing) == ["all"]
    assert names(listing["all"], folder) == [
        ("cat/1.jpeg", "cat"),
        ("cat/2.png", "cat"),
        ("dog/2023/may/c.tif", "dog"),
        ("dog/a.webp", "dog"),
        ("dog/b.JPG", "dog"),
    ]


def test_hidden_files_and_what_is_no_picture(make: Make) -> None:
    folder = make(
        "cat/1.jpg", "cat/._1.jpg", "cat/.DS_Store", "cat/Thumbs.db", "cat/.trash/2.jpg", "dog/1.jpg", "dog/notes.txt"
    )
    make(".git/1.jpg", "README.md", "loose.jpg")
    assert names(read(folder)["all"], folder) == [("cat/1.jpg", "cat"), ("dog/1.jpg", "dog")]


def test_links_that_lead_in_a_circle(make: Make, tmp_path: Path) -> None:
    folder = make("cat/1.jpg", "dog/1.jpg")
    (folder / "dog" / "up").symlink_to(folder)
    (folder / "itself").symlink_to(folder)
    (folder / "above").symlink_to(tmp_path)
    assert names(read(folder)["all"], folder) == [("cat/1.jpg", "cat"), ("dog/1.jpg", "dog")]


def test_a_class_folder_and_a_picture_may_be_links(make: Make, tmp_path: Path) -> None:
    folder = make("dog/1.jpg")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "x.jpg").touch()
    (folder / "cat").symlink_to(tmp_path / "elsewhere")
    (folder / "dog" / "2.jpg").symlink_to(tmp_path / "elsewhere" / "x.jpg")
    assert names(read(folder)["all"], folder) == [("cat/x.jpg", "cat"), ("dog/1.jpg", "dog"), ("dog/2.jpg", "dog")]


@pytest.mark.parametrize("parts", [("train", "val"), ("test", "train"), ("test", "train", "val")])
def test_divided_folders(make: Make, parts: tuple[str, ...]) -> None:
    folder = make(*(f"{part}/{label}/{part}.jpg" for part in parts for label in ("cat", "dog")))
    listing = read(folder)
    assert sorted(listing) == list(parts)
    for part in parts:
        assert names(listing[part], folder) == [(f"{part}/{label}/{part}.jpg", label) for label in ("cat", "dog")]


@pytest.mark.parametrize("name", ["valid", "validation"])
def test_the_other_names_of_val(make: Make, name: str) -> None:
    folder = make(*(f"{part}/{label}/1.jpg" for part in ("train", name) for label in ("cat", "dog")))
    assert names(read(folder)["val"], folder) == [(f"{name}/cat/1.jpg", "cat"), (f"{name}/dog/1.jpg", "dog")]
    make("val/cat/1.jpg")
    with pytest.raises(DataError, match=f"photos holds val/ and {name}/; keep one of them as val/"):
        read(folder)


def test_parts_in_capitals_and_in_other_words(make: Make) -> None:
    make(*(f"{part}/{label}/1.jpg" for part in ("Training", "Testing") for label in ("cat", "dog")))
    folder = make("VAL/cat/1.jpg", "VAL/dog/1.jpg")
    assert {part: photos[0].path.parts[-3] for part, photos in read(folder).items()} == {
        "train": "Training",
        "val": "VAL",
        "test": "Testing",
    }


def test_a_class_may_be_called_train(make: Make) -> None:
    folder = make("bus/1.jpg", "train/1.jpg")
    assert [photo.label for photo in read(folder)["all"]] == ["bus", "train"]


def test_photographs_of_kinds_that_are_not_read(make: Make) -> None:
    folder = make("cat/1.jpg", "cat/2.HEIC", "cat/notes.txt", "cat/.3.heic", "dog/1.jpg", "dog/far/4.avif")
    assert [str(path.relative_to(folder)) for path in unread(folder)] == ["cat/2.HEIC", "dog/far/4.avif"]
    assert unread(folder / "nothing.csv") == []


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([], "has no class folders; expected one sub-folder a class, or train/ and val/"),
        (["1.jpg", "2.jpg"], "has no class folders"),
        (["cat/1.jpg"], "holds only one class, cat; there must be two"),
        (
            ["cat/1.jpg", "dog/1.heic"],
            r"photos/dog holds no pictures \(bmp, gif, .*webp\); add some, or remove the fol",
        ),
        (["train/cat/1.jpg", "train/dog/1.jpg", "val/1.jpg"], "photos/val has no class folders"),
        (["train/cat/1.jpg", "train/dog/1.jpg", "val/cat/1.jpg"], "the class dog has no pictures in .*photos/val"),
        (["train/a/1.jpg", "train/b/1.jpg", "valid/a/1.jpg"], "the class b has no pictures in .*photos/valid;"),
        (["train/cat/1.jpg", "val/cat/1.jpg", "val/dog/1.jpg"], "the class dog has no pictures in .*photos/train"),
        (["train/cat/1.jpg", "train/dog/1.jpg"], "photos/train holds folders, .*; name .*photos/train itself, or add"),
        (["cat/1.jpg", "dog/1.jpg", "val/cat/1.jpg"], "photos/val holds folders, .*; move it away from the class fold"),
        (["ca\nt/1.jpg", "dog/1.jpg"], r"the class 'ca\\nt' of .* is not plain text; rename it"),
    ],
    ids=lambda value: " ".join(map(ascii, value)) if isinstance(value, list) else "",
)
def test_what_is_wrong_with_a_folder(make: Make, files: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(make(*files))


def csv(folder: Path, text: str | bytes) -> Path:
    path = folder / "labels.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize(
    "text",
    [
        "sub/1.jpg,dog\n2.jpg,cat\n",
        "path,label\nsub/1.jpg,dog\n2.jpg,cat\n",
        "\ufeffAuthor,Label,File\r\nAnn,dog,sub/1.jpg\r\n\r\nBob, cat ,2.jpg\r\n",
        'image,class\n"sub/1.jpg","dog"\n./2.jpg,cat\n',
    ],
    ids=["no header", "header", "other columns", "quotes"],
)
def test_csv(make: Make, text: str) -> None:
    folder = make("sub/1.jpg", "2.jpg")
    listing = read(csv(folder, text))
    assert names(listing["all"], folder) == [("2.jpg", "cat"), ("sub/1.jpg", "dog")]


def test_csv_with_paths_from_the_root(make: Make, tmp_path: Path) -> None:
    folder = make("1.jpg", "2.jpg")
    path = csv(tmp_path, f"{folder}/1.jpg,dog\n{folder}/2.jpg,cat\n")
    assert names(read(path)["all"], folder) == [("1.jpg", "dog"), ("2.jpg", "cat")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no pictures; expected lines of path,label"),
        ("path,label\n", "names no pictures"),
        ("1.jpg,dog\n3.jpg,cat\n", r"labels\.csv line 2: .*/3\.jpg does not exist; paths are relative to the CSV"),
        ("photo,what\n1.jpg,dog\n", "line 1: .*/photo does not exist; .* a header calls its columns path and label"),
        ("1.jpg,dog\n2.jpg\n", r"line 2: expected path,label, got 2\.jpg"),
        ("1.jpg,dog\n2.jpg, \n", r"line 2: expected path,label, got 2\.jpg,"),
        ("1.jpg,dog\n2.jpg,cat\n./1.jpg,cat\n", r"line 3: .*/1\.jpg was named before"),
        ("1.jpg,dog\n2.jpg,dog\n", "holds only one class, dog"),
        ('1.jpg,dog,"sunny\n2.jpg,cat,\n', r"labels\.csv line 2: cannot be read as CSV \(unexpected end of data\)"),
        (b"1.jpg,d\xf6g\n", r"labels\.csv cannot be read as a CSV of path,label"),
    ],
)
def test_what_is_wrong_with_a_csv(make: Make, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read(csv(make("1.jpg", "2.jpg"), text))


def test_a_csv_that_may_not_be_read(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    path = csv(make("1.jpg"), "1.jpg,dog\n")
    path.chmod(0)
    monkeypatch.chdir(path.parent)
    with as_anybody(), pytest.raises(DataError, match=r"cannot be read as a CSV of path,label .*Permission denied"):
        read(Path(path.name))
