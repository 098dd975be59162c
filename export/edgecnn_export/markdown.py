"""Markdown of words that come from anywhere."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

# An underscore inside a word is none; what is markup only where a line begins never stands there.
_MARKS = re.compile(r"([\\`*\[\]<|~&$]|(?<![^\W_])_|_(?![^\W_]))")


def plain(words: object) -> str:
    """The words in one line, without anything that cannot be seen; a label may hold line ends and worse."""
    text = str(words)
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def text(words: object) -> str:
    """The words in one line, as they are to be read: nothing in them is markup. A line must not begin with them."""
    return _MARKS.sub(r"\\\1", plain(words))


def shell(words: str) -> str:
    """One argument of a command in a block of code."""
    return shlex.quote(plain(words))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table of cells that are Markdown already."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(each)} |" for each in lines)


def code(language: str, *lines: str) -> str:
    """A block of lines, none of which may hold a line end."""
    return "\n".join((f"```{language}", *lines, "```"))


def bullets(items: Iterable[str]) -> str:
    """A list of items that are Markdown already."""
    return "\n".join(f"- {each}" for each in items)
