"""Plain aligned tables, the same on a terminal and in a pipe."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from edgecnn.cli.console import printable

if TYPE_CHECKING:
    from edgecnn_export.comparison import Row


def show(header: Sequence[str], rows: Iterable[Sequence[str]], text_columns: int) -> None:
    """Print a table; the first ``text_columns`` are aligned left, the others, numbers, right."""
    lines = [[printable(cell) for cell in line] for line in (header, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = [
            cell.ljust(width) if column < text_columns else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        print("  ".join(cells).rstrip(), flush=True)


def percent(share: float | None) -> str:
    """A share of the images, or that it cannot be known."""
    return "unknown" if share is None else f"{share:.2%}"


def show_parity(rows: Iterable[Row]) -> None:
    """Print comparisons with the Keras model, one line each."""
    show(
        (
            "file",
            "format",
            "precision",
            "interpreter",
            "verdict",
            "size kB",
            "accuracy",
            "change, points (95 %)",
            "agreement",
            "largest diff.",
            "ms",
        ),
        (
            (
                row.file,
                row.format,
                row.precision,
                row.backend,
                row.verdict,
                f"{row.size / 1000:,.1f}",
                percent(row.accuracy),
                f"{row.change:+.2f} ({row.interval[0]:+.2f} to {row.interval[1]:+.2f})" if row.interval else "unknown",
                f"{row.agreement:.2%}",
                f"{row.difference:.1e}",
                f"{row.latency:.3f}",
            )
            for row in rows
        ),
        text_columns=5,
    )
