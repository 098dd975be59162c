"""Where pictures come from: one kind of place a file, and here what they all are.

What a place needs (OpenCV, HTTP) is imported when it is asked for, so that a picture in a
file waits for none of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import NamedTuple

from edgecnn_runtime.pipeline import Item


class Source(NamedTuple):
    """Pictures from somewhere. A picture that cannot be had is in its place all the same, as an error.

    Attributes:
        items: the pictures, each made when it is asked for.
        total: how many there are; None where nobody knows before the end.
        live: they come when they come, for as long as one waits.
        film: they follow one another in time, so that neighbours show the same.
    """

    items: Iterable[Item]
    total: int | None = None
    live: bool = False
    film: bool = False


def joined(sources: list[Source]) -> Source:
    """Several sources, one after the other. Only a single one can be a film."""
    totals = [each.total for each in sources]
    return Source(
        chain.from_iterable(each.items for each in sources),
        None if None in totals else sum(total for total in totals if total),
        any(each.live for each in sources),
        len(sources) == 1 and sources[0].film,
    )
