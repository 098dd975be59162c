"""What a person sees while a network trains: a live bar on a terminal, one plain line an epoch elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any


class Reporter:
    """Shows one run's progress on standard output; use it as a context manager. A passing bar goes at the end."""

    def __init__(self, epochs: int, steps: int, batch_size: int, passing: bool = False) -> None:
        self._epochs, self._steps, self._batch, self._passing = epochs, steps, batch_size, passing
        self._live = sys.stdout.isatty()
        self._bar: Any = None
        self._begun, self._done = 0.0, 0

    def __enter__(self) -> Reporter:
        """Start the clock, and the bar where there is a terminal."""
        if self._live:
            from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

            text = TextColumn("epoch {task.fields[epoch]}/{task.fields[epochs]} step {task.fields[step]:>5}")
            figures = TextColumn("{task.fields[figures]}")
            columns = [text, BarColumn(), figures, TextColumn("left"), TimeRemainingColumn()]
            self._bar = Progress(*columns, transient=self._passing)
            self._task = self._bar.add_task(
                "", total=self._epochs * self._steps, epoch=1, epochs=self._epochs, step=0, figures=""
            )
            self._bar.start()
        self._begun = time.perf_counter()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the bar."""
        if self._bar:
            self._bar.stop()

    def step(self, epoch: int, step: int, new_steps: int, loss: float, accuracy: float) -> None:
        """Show the state after ``new_steps`` more steps; loss and accuracy are the epoch's means so far."""
        self._done += new_steps
        if self._bar:
            rate = self._done * self._batch / (time.perf_counter() - self._begun)
            figures = f"loss {loss:.3f}  accuracy {accuracy:6.2%}  {rate:,.0f} images/s"
            self._bar.update(
                self._task, completed=epoch * self._steps + step, epoch=epoch + 1, step=step, figures=figures
            )

    def epoch(self, row: dict[str, float]) -> None:
        """Show the figures of a finished epoch, one line."""
        line = (
            f"epoch {row['epoch']:.0f}/{self._epochs}  loss {row['loss']:.4f}  accuracy {row['accuracy']:.2%}"
            + (f"  validation {row['validation_accuracy']:.2%}" if "validation_accuracy" in row else "")
            + f"  {row['images_per_second']:,.0f} images/s"
        )
        if self._bar:
            self._bar.console.print(line, highlight=False)
        else:
            print(line, flush=True)  # noqa: T201
