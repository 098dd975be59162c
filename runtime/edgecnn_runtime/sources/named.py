"""What the words of a command line name: files, folders, patterns, addresses, videos, standard input."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from itertools import chain

from edgecnn_runtime.errors import ImageError, UsageError
from edgecnn_runtime.pipeline import Item
from edgecnn_runtime.sources import Source
from edgecnn_runtime.sources.folder import KINDS, is_folder, pictures

STANDARD_INPUT = "-"
VIDEOS = (".avi", ".m4v", ".mjpeg", ".mkv", ".mov", ".mp4", ".mpeg", ".mpg", ".webm")


def named(words: Iterable[str], recursive: bool = False) -> Source:
    """The pictures that words name, in their order.

    A folder means the pictures in it; with ``recursive`` also those below it. A word of which there is no file and
    that has ``*``, ``?`` or ``[`` in it is a pattern, and means what it would to a shell; ``**`` is any depth. What
    fits in more ways than one is taken once.

    A folder that cannot be read is an error in its place.

    Raises:
        UsageError: a folder or a pattern has no pictures, or standard input is a terminal.
    """
    found = list(chain.from_iterable(_expanded(word, recursive) for word in words))
    films = any(isinstance(each, str) and _is_video(each) for each in found)
    total = None if films else len(found)
    return Source(chain.from_iterable(map(_opened, found)), total, film=films and len(found) == 1)


def one(name: str) -> Iterable[Item]:
    """What one file or address holds: a picture, or the frames of a video."""
    if "://" in name:
        return _fetched(name)
    if _is_video(name):
        from edgecnn_runtime.sources import opencv

        return opencv.video(name)
    return (Item(name, name),)


def _opened(found: str | Item) -> Iterable[Item]:
    if isinstance(found, Item):
        return (found,)
    if found == STANDARD_INPUT:
        from edgecnn_runtime.sources import standard_input

        return standard_input.pictures()
    return one(found)


def _expanded(word: str, recursive: bool) -> Iterable[str | Item]:
    if word == STANDARD_INPUT:
        from edgecnn_runtime.sources import standard_input

        standard_input.check("a picture")
    elif is_folder(word):
        return _in_folder(word, recursive)
    elif not os.path.lexists(word) and "://" not in word and any(sign in word for sign in "*?["):
        return _fitting(word, recursive)
    return (word,)


def _in_folder(folder: str, recursive: bool) -> list[str | Item]:
    found = _pictures(folder, recursive)
    if not found:
        below = "" if recursive else "; -r looks into the folders below it"
        raise UsageError(f"{folder}: holds no pictures ({KINDS}){below}")
    return found


def _fitting(pattern: str, recursive: bool) -> Iterable[str | Item]:
    from edgecnn_runtime.sources.pattern import matching

    paths = matching(pattern)
    found = chain.from_iterable(_pictures(each, recursive) if is_folder(each) else (each,) for each in paths)
    once = dict.fromkeys(found)  # a file may fit, and its folder too
    if not once:
        what = "folder of such a name holds pictures" if paths else "file has such a name"
        raise UsageError(f"{pattern}: no {what}; check the pattern")
    return once


def _pictures(folder: str, recursive: bool) -> list[str | Item]:
    found: list[str | Item] = []
    found.extend(pictures(folder, recursive, lambda path, problem: found.append(Item(path, problem))))
    return found


def _is_video(name: str) -> bool:
    return name.lower().endswith(VIDEOS)


def _fetched(address: str) -> Iterator[Item]:
    from edgecnn_runtime.sources import web

    name, _ = web.without_login(address)
    try:
        yield Item(name, web.picture(address))
    except ImageError as problem:
        yield Item(name, problem)
