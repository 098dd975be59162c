"""The form in which ``edgecnn classify`` prints what it found on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from edgecnn.cli.console import printable
from edgecnn.cli.forms import Form, Found, nothing

LABEL_WIDTH = 40
_NAME_WIDTH = 20
_SCORE_WIDTH = 6
_TIMES_WIDTH = len("  decode ms  resize ms  inference ms")


def table_form(labels: Sequence[str], top: int, threshold: float, timing: bool, several: bool) -> Form:
    """A block for a single picture; for several a table, a line each, if the terminal is wide enough for one."""
    label_width = min(LABEL_WIDTH, max(len(printable(label)) for label in labels))
    columns = min(top, len(labels))
    width = columns * (label_width + _SCORE_WIDTH + 4) + timing * _TIMES_WIDTH + _NAME_WIDTH
    if several and width <= _terminal_width():
        return _table(label_width, columns, threshold)
    return _blocks(label_width, threshold)


def _blocks(label_width: int, threshold: float) -> Form:
    def form(found: Found) -> str:
        rows = [f"{printable(each.label):{label_width}}  {_score(each.score)}" for each in found.predictions]
        rows = rows or [nothing(threshold)]
        if found.milliseconds:
            rows.append(", ".join(f"{step} {each:.2f} ms" for step, each in found.milliseconds.items()))
        return "\n  ".join([printable(found.name), *rows])

    return form


def _table(label_width: int, columns: int, threshold: float) -> Form:
    """Names are the last column, where they may be of any length."""
    width = label_width + 2 + _SCORE_WIDTH
    begun = False

    def form(found: Found) -> str:
        nonlocal begun
        cells = [f"{_short(each.label, label_width):{label_width}}  {_score(each.score)}" for each in found.predictions]
        cells = cells or [nothing(threshold)]
        cells = [f"{cell:{width}}" for cell in cells + [""] * (columns - len(cells))]
        headings = [f"{step} ms" for step in found.milliseconds]
        times = [
            f"{each:{len(heading)}.2f}" for heading, each in zip(headings, found.milliseconds.values(), strict=True)
        ]
        line = "  ".join([*cells, *times, printable(found.name)])
        if begun:
            return line
        begun = True
        heading = f"{'label':{label_width}}  {'score':>{_SCORE_WIDTH}}"
        return "  ".join([heading] * columns + [*headings, "picture"]) + f"\n{line}"

    return form


def _score(score: float) -> str:
    return f"{score:{_SCORE_WIDTH}.1%}"


def _short(label: str, width: int) -> str:
    label = printable(label)
    return label if len(label) <= width else f"{label[: width - 3]}..."


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except OSError:
        return 80
