"""How far long work is, in one line on standard error, where that is a terminal."""

from __future__ import annotations

import sys
import time

from edgecnn.cli.console import put

_LONG_SECONDS = 1.0
_REDRAW_SECONDS = 0.1
_WIDTH = 24


class Progress:
    """A bar that appears after a second, and goes when the work is done; use it as a context manager."""

    def __init__(self, total: int | None, wanted: bool) -> None:
        """``total`` is None where nobody knows how much there is to do."""
        self._total, self._shown, self._drawn = total, wanted and sys.stderr.isatty(), False
        self._done, self._begun, self._last = 0, time.monotonic(), 0.0

    def __enter__(self) -> Progress:
        """Nothing is shown yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Leave no trace."""
        self.clear()

    def give_way(self) -> None:
        """Make room for a line on standard output, if that is the same terminal."""
        if self._drawn and sys.stdout.isatty():
            self.clear()

    def clear(self) -> None:
        """Make room for a line on standard error."""
        if self._drawn:
            put("\r\x1b[K")
            self._drawn = False

    def step(self) -> None:
        """One more is done."""
        self._done += 1
        if not self._shown:
            return
        now = time.monotonic()
        if now - self._begun >= _LONG_SECONDS and (not self._drawn or now - self._last >= _REDRAW_SECONDS):
            self._last, self._drawn = now, True
            put(f"\r{self._line(now - self._begun)}\x1b[K")

    def _line(self, seconds: float) -> str:
        rate = self._done / seconds
        if not self._total or self._done > self._total:  # a video in a list has many frames
            return f"{self._done:,} pictures  {rate:,.1f}/s"
        filled = _WIDTH * self._done // self._total
        left = (self._total - self._done) / rate
        return (
            f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {self._done:,} of {self._total:,}"
            f"  {rate:,.1f}/s  {left:,.0f} s left"
        )
