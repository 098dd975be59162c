"""What a caller of an export chooses, and what it is told."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edgecnn_export.comparison import Row
from edgecnn_runtime.errors import UsageError

CALIBRATION_METHODS = ("minmax", "entropy", "percentile")


@dataclass(frozen=True)
class Options:
    """What may be chosen about the gate.

    Attributes:
        max_drop: largest loss of accuracy, in points; None for the usual of each precision.
        rescue: keep layers of an int8 file that loses more in higher precision, instead of refusing it.
        calibration_method: how ONNX ranges are found: one of :data:`CALIBRATION_METHODS`.
        debug_layers: find the error of every layer of an int8 file, even of one that passes.
    """

    max_drop: float | None = None
    rescue: bool = True
    calibration_method: str = "minmax"
    debug_layers: bool = False

    def __post_init__(self) -> None:
        """Refuse what makes no sense.

        Raises:
            UsageError: a value is out of range.
        """
        if self.max_drop is not None and not 0 <= self.max_drop <= 100:
            raise UsageError(f"--max-drop is in points from 0 to 100, not {self.max_drop}")
        if self.calibration_method not in CALIBRATION_METHODS:
            raise UsageError(
                f"no calibration method is called {self.calibration_method!r}; "
                f"there are: {', '.join(CALIBRATION_METHODS)}"
            )


class Listener:
    """Told of everything as it happens; this one keeps silent."""

    def compared(self, path: Path, rows: list[Row]) -> None:
        """A file was compared, and is now at ``path``: its own place, or that of a rejected one."""

    def layers(self, path: Path, errors: dict[str, float]) -> None:
        """The layers of an int8 file and their errors, the largest first."""

    def note(self, text: str) -> None:
        """Something was decided."""
