"""Lists of pictures."""

from __future__ import annotations

import os
import sys
import threading
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from edgecnn_runtime.errors import UsageError
from edgecnn_runtime.sources.listing import listed

pytestmark = pytest.mark.usefixtures("here")


def test_a_line_a_picture_relative_to_where_one_stands() -> None:
    Path("lists").mkdir()
    Path("lists/some.txt").write_bytes(
        b"\xef\xbb\xbfred.png\r\n\n  \nday/ 1 .jpg\nb\xff.png\n*.png\nhttp://127.0.0.1:1/cam.jpg"
    )
    source = listed("lists/some.txt")
    names = [each.name for each in source.items]
    assert names == ["red.png", "day/ 1 .jpg", os.fsdecode(b"b\xff.png"), "*.png", "http://127.0.0.1:1/cam.jpg"]
    assert source.total == 5
    assert not source.live


def test_a_list_on_standard_input_is_read_line_by_line(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = os.pipe()
    with os.fdopen(ours) as stdin, os.fdopen(theirs, "wb", buffering=0) as writer:
        monkeypatch.setattr(sys, "stdin", stdin)
        source = listed("-")
        assert (source.total, source.live) == (None, True)
        items = iter(source.items)
        for name in ("red.png", "day/1.jpg"):
            writer.write(f"{name}\n".encode())
            assert next(items).name == name
        writer.close()
        assert not list(items)


def test_a_list_that_can_be_read_only_once() -> None:
    os.mkfifo("pipe")
    writer = threading.Thread(target=Path("pipe").write_text, args=("red.png\nday/1.jpg\n",))
    writer.start()
    source = listed("pipe")
    assert (source.total, source.live) == (None, False)
    assert [each.name for each in source.items] == ["red.png", "day/1.jpg"]
    writer.join()


@pytest.mark.parametrize("text", [b"red.png\0day/1.jpg\0", "red.png\n".encode("utf-16")])
def test_a_list_that_is_no_text(text: bytes) -> None:
    Path("list.txt").write_bytes(text)
    with pytest.raises(UsageError, match=r"^list\.txt: is no list \(it holds NUL\); put a path on each line"):
        list(listed("list.txt").items)


def test_a_list_without_pictures_is_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("none.txt").write_text("\n")
    with pytest.raises(UsageError, match=r"^none\.txt: names no pictures"):
        list(listed("none.txt").items)
    with pytest.raises(UsageError, match=r"^missing\.txt: cannot be read \(No such file"):
        listed("missing.txt")
    with pytest.raises(UsageError, match=r"^day: cannot be read \(Is a directory"):
        listed("day")
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"")))
    with pytest.raises(UsageError, match=r"^-: names no pictures"):
        list(listed("-").items)
