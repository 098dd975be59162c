"""What ``edgecnn export`` prints and draws while it works."""

from __future__ import annotations

from pathlib import Path

from edgecnn.cli.console import tell
from edgecnn_export.comparison import Row, complaints
from edgecnn_export.options import Listener


class Printer(Listener):
    """One line a check, and, if wanted, a table and a picture of the layers' errors."""

    def __init__(self, plot: bool) -> None:
        """Draw the layers' errors only if asked to: a refused file names the worst of them anyway."""
        self._plot = plot

    def compared(self, path: Path, rows: list[Row]) -> None:
        """Print where the file is, and every check with what was measured and what is allowed."""
        tell(f"{'refused, kept as' if complaints(rows) else 'saved'} {path}, {rows[0].size / 1000:,.1f} kB")
        for row in rows:
            tell(f"  {row.backend}: agreement {row.agreement:.2%}, {row.latency:.3f} ms")
            for each in row.checks:
                allowed = f"; {each.allowed}" if each.allowed and each.allowed != each.measured else ""
                tell(f"    {'ok  ' if each.passed else 'FAIL'} {each.name:<8} {each.measured}{allowed}")

    def layers(self, path: Path, errors: dict[str, float]) -> None:
        """Print and draw them."""
        if not self._plot:
            return
        from edgecnn import plots

        tell(f"{path.name}: error of each layer by itself, relative")
        for name, error in errors.items():
            tell(f"  {error:8.2%}  {name}")
        picture = path.with_name(f"{path.name}.layers.png")
        plots.layer_errors(picture, errors, path.name)
        tell(f"saved {picture}")

    def note(self, text: str) -> None:
        """Print it."""
        tell(text)
