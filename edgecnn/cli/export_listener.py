"""What ``edgecnn export`` prints and draws while it works."""

from __future__ import annotations

from pathlib import Path

from edgecnn.cli.console import printable
from edgecnn_export.comparison import Row, complaints
from edgecnn_export.options import Listener


class Printer(Listener):
    """One line a check, and, if wanted, a table and a picture of the layers' errors."""

    def __init__(self, plot: bool) -> None:
        """Draw the layers' errors only if asked to: a refused file names the worst of them anyway."""
        self._plot = plot

    def compared(self, path: Path, rows: list[Row]) -> None:
        """Print where the file is, and every check with what was measured and what is allowed."""
        print(
            f"{'refused, kept as' if complaints(rows) else 'saved'} {path}, {rows[0].size / 1000:,.1f} kB", flush=True
        )
        for row in rows:
            print(f"  {row.backend}: agreement {row.agreement:.2%}, {row.latency:.3f} ms")
            for each in row.checks:
                allowed = f"; {each.allowed}" if each.allowed and each.allowed != each.measured else ""
                print(f"    {'ok  ' if each.passed else 'FAIL'} {each.name:<8} {each.measured}{allowed}", flush=True)

    def layers(self, path: Path, errors: dict[str, float]) -> None:
        """Print and draw them."""
        if not self._plot:
            return
        from edgecnn import plots

        print(f"{path.name}: error of each layer by itself, relative")
        for name, error in errors.items():
            print(f"  {error:8.2%}  {printable(name)}", flush=True)
        picture = path.with_name(f"{path.name}.layers.png")
        plots.layer_errors(picture, errors, path.name)
        print(f"saved {picture}", flush=True)

    def note(self, text: str) -> None:
        """Print it."""
        print(printable(text), flush=True)
