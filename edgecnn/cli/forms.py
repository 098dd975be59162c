"""The forms in which ``edgecnn classify`` prints what it found: lines, labels, JSON Lines, CSV."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, NamedTuple

from edgecnn.cli.console import printable

if TYPE_CHECKING:
    from edgecnn_runtime import Prediction


class Found(NamedTuple):
    """What is told of a picture.

    Attributes:
        name: of the picture.
        predictions: the classes that were asked for, best first; may be none.
        milliseconds: what each step took; empty where nobody asked.
        annotated: path of the picture with its label on it, empty if it could not be written; None where nobody asked.
    """

    name: str
    predictions: list[Prediction]
    milliseconds: dict[str, float]
    annotated: str | None


Form = Callable[[Found], str]
"""The text that stands for a picture, without its last line break."""


def nothing(threshold: float) -> str:
    """What is said in words of a picture that has no class with such a score."""
    return f"none at {100 * threshold:g}%"


def as_line(found: Found) -> str:
    """Name, milliseconds if they are told, then label and score of each class, with tabs between."""
    cells = [found.name, *(f"{each:.3f}" for each in found.milliseconds.values())]
    for each in found.predictions:
        cells += each.label, f"{each.score:.4f}"
    return "\t".join(map(printable, cells))


def as_labels(found: Found) -> str:
    """The labels alone, with tabs between."""
    return "\t".join(printable(each.label) for each in found.predictions)


def as_json(found: Found) -> str:
    """One JSON object. What is not ASCII is escaped in it, so names arrive as they are and steer no terminal."""
    predictions = [{"label": each.label, "index": each.index, "score": each.score} for each in found.predictions]
    document: dict[str, object] = {"file": found.name, "predictions": predictions}
    if found.milliseconds:
        document["milliseconds"] = found.milliseconds
    if found.annotated:
        document["annotated"] = found.annotated
    return json.dumps(document)


def csv_form() -> Form:
    """CSV (RFC 4180) with a header and a row for each class; a picture without any has a row with empty cells."""
    import csv

    begun = False

    def form(found: Found) -> str:
        nonlocal begun
        text = StringIO()
        writer = csv.writer(text, lineterminator="\n")
        more = {f"{step}_ms": f"{each:.3f}" for step, each in found.milliseconds.items()}
        if found.annotated is not None:
            more["annotated"] = _cell(found.annotated)
        if not begun:
            writer.writerow(["file", "rank", "label", "index", "score", *more])
            begun = True
        rows = [[rank, _cell(each.label), each.index, each.score] for rank, each in enumerate(found.predictions, 1)]
        for row in rows or [[""] * 4]:
            writer.writerow([_cell(found.name), *row, *more.values()])
        return text.getvalue().removesuffix("\n")

    return form


def _cell(text: str) -> str:
    """Text for a spreadsheet, which would compute what begins like a formula: an apostrophe says that it is text."""
    text = printable(text)
    return f"'{text}" if len(text) > 1 and text[0] in "=+-@" else text
