"""Names, strings, arrays and comments of C99, from text and bytes of any kind."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable

from edgecnn_runtime.errors import ExportError

# Not the quote and the backslash, nor the question mark, two of which may begin a trigraph.
_AS_THEY_ARE = frozenset((string.ascii_letters + string.digits + " !#%&'()*+,-./:;<=>[]^_{|}~").encode())
_LINE = 20


def identifier(name: str) -> str:
    """A name as an identifier that is nobody else's: ASCII letters, digits and single underscores within."""
    safe = re.sub(r"[^0-9A-Za-z]+", "_", name).strip("_")
    return safe if safe[:1].isalpha() else f"model_{safe}".strip("_")


def literal(text: str) -> str:
    """A string literal, UTF-8, whose characters beyond plain ASCII are octal escapes.

    Raises:
        ExportError: the text holds a zero, which ends a string in C.
    """
    if "\0" in text:
        raise ExportError(f"the label {text!r} holds a zero character, which ends a string in C; rename the class")
    # Octal and not \\x: it ends after three digits, whatever follows.
    return '"' + "".join(chr(b) if b in _AS_THEY_ARE else f"\\{b:03o}" for b in text.encode()) + '"'


def array(values: bytes) -> str:
    """The inside of an initializer, one byte an element."""
    lines = (values[start : start + _LINE] for start in range(0, len(values), _LINE))
    return ",\n".join("    " + ",".join(f"0x{value:02x}" for value in line) for line in lines)


def comment(text: str) -> str:
    """Text for the inside of a comment: it cannot end the comment, continue the line or make a trigraph."""
    return re.sub(r"[^0-9A-Za-z .,:;%()/+_-]", "_", text)


def comment_lines(lines: Iterable[str]) -> str:
    """Several lines for the inside of a block comment."""
    return "\n".join(f" *   {comment(line)}" for line in lines)
