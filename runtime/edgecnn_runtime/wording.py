"""Numbers of things, as people say them."""

from __future__ import annotations


def counted(number: int, thing: str) -> str:
    """A number of things in words, for instance ``2 threads``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
