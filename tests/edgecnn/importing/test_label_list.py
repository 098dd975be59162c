"""Labels as people and other tools write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgecnn.importing import label_list
from edgecnn_runtime.errors import DataError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cat\ndog\n", ("cat", "dog")),
        ("\ufeffcat\r\nguide dog\r\n\r\n", ("cat", "guide dog")),
        ("0 cat\n1 guide dog\n", ("cat", "guide dog")),  # Teachable Machine
        ("1 cat\n2 dog", ("1 cat", "2 dog")),  # numbers that are not those of the outputs are part of the names
        ("7 up\ncola", ("7 up", "cola")),
        ("10\n11", ("10", "11")),
        ('["cat", "dog"]', ("cat", "dog")),
        ('{"1": "dog", "0": "cat"}', ("cat", "dog")),
        ('{"dog": 1, "cat": 0}', ("cat", "dog")),  # class_indices
    ],
)
def test_read(text: str, expected: tuple[str, ...], tmp_path: Path) -> None:
    (file := tmp_path / "labels").write_bytes(text.encode())
    assert label_list.read(file) == expected


def test_imagenet(here: Path) -> None:
    assert len(label_list.read(Path("imagenet"))) == 1000
    (here / "imagenet").write_text("cat\ndog")
    assert label_list.read(Path("imagenet")) == ("cat", "dog")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not name two labels or more"),
        (b"cat\n", "does not name two labels or more"),
        (b"cat\n\ndog\n", "has an empty line or name, number 2; give each output a name"),
        (b"cat\ndog\ncat\n", "has the label cat twice"),
        (b"[1, 2]", "are neither a list of names nor names by their numbers from 0"),
        (b'{"1": "cat", "2": "dog"}', "are neither a list"),
        (b'{"cat": 0, "dog": 2}', "are neither a list"),
        (b'["cat", ', "are not JSON"),
        (b"[" * 100_000, "are not JSON"),
        (b"1" * 6_000 + b" cat", "does not name two labels or more"),
        (b"cat\n" * 3_000_000, "is too long to be a list of labels"),
        (b"\xff\xfe\x00cat", "are not UTF-8 text"),
    ],
)
def test_what_is_no_list_of_labels(content: bytes, message: str, tmp_path: Path) -> None:
    (file := tmp_path / "labels").write_bytes(content)
    with pytest.raises(DataError, match=f"{file}.* {message}"):
        label_list.read(file)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none cannot be read \(No such file"):
        label_list.read(tmp_path / "none")
