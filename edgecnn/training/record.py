"""What a finished run left of its training, read again."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edgecnn.training import recipe as recipes
from edgecnn.training.recipe import Recipe
from edgecnn.training.run import METRICS
from edgecnn_runtime.errors import TrainingError


@dataclass(frozen=True)
class Record:
    """What is known of a training; empty where the folder does not have it.

    Attributes:
        recipe: every choice.
        history: a row an epoch: ``epoch``, ``loss``, ``accuracy``, and for the images that were watched
            ``validation_loss`` and ``validation_accuracy``.
        metrics: accuracy, data, time and device.
    """

    recipe: Recipe | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    metrics: dict[str, Any] = field(default_factory=dict)


def read(folder: Path) -> Record:
    """Read the files that :func:`edgecnn.training.run.write` writes; each may be missing.

    Raises:
        TrainingError: a file is there, and is not what it is called.
    """
    recipe = folder / "recipe.json"
    return Record(
        recipes.find(str(recipe)) if recipe.exists() else None,
        _history(folder / "history.csv"),
        _metrics(folder / METRICS),
    )


def _history(path: Path) -> list[dict[str, float]]:
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
        if not rows or not all(row.keys() >= {"epoch", "loss", "accuracy"} for row in rows):
            raise ValueError("epochs or columns are missing")
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, csv.Error) as problem:
        raise TrainingError(f"{path} is no history of edgecnn train ({problem}); delete it or train again") from None
    return rows


def _metrics(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise ValueError("it is no object")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        raise TrainingError(f"{path} holds no metrics of edgecnn train ({problem}); delete it or train again") from None
    return found
