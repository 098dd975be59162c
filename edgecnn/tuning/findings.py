"""What a search leaves: a line a trial, ``trials.csv``, and the best recipe as ``recipe.json``."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecnn.training.recipe import Recipe
from edgecnn.training.run import RECIPE
from edgecnn.tuning.search import FATE
from edgecnn.tuning.space import Space, values
from edgecnn.tuning.study import beside, best, ended
from edgecnn_runtime.errors import TrainingError

if TYPE_CHECKING:
    import optuna

TRIALS = "trials.csv"


def line(study: optuna.Study, number: int) -> str:
    """What became of a trial, which is the best so far, and the trial's values."""
    trial, leader = study.get_trials(deepcopy=False)[number], best(study)
    accuracy = trial.intermediate_values.get(trial.last_step or 0, 0.0)
    what = {
        "finished": f"validation {accuracy:.2%}",
        "stopped": f"stopped after epoch {trial.last_step} at {accuracy:.2%}",
    }.get(_fate(trial), _fate(trial))
    ahead = f"best {leader.value:.2%} (trial {leader.number})  " if leader else ""
    chosen = ", ".join(f"{name} {value}" for name, value in values(trial).items())
    return f"trial {number}  {what}  {ahead}{chosen}"


def write(folder: Path, study: optuna.Study, recipe: Recipe, space: Space) -> None:
    """Write what is known so far; each file is replaced as a whole.

    Args:
        folder: of the search.
        study: the search.
        recipe: the one that it started from, whose other fields stay as they are.
        space: the fields that are searched.

    Raises:
        TrainingError: the folder cannot be written.
    """
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["trial", "fate", "validation_accuracy", "epochs", "seconds", *space])
    for trial in ended(study):
        accuracy = trial.intermediate_values.get(trial.last_step or 0, "")
        seconds = round(trial.duration.total_seconds(), 1) if trial.duration else ""
        chosen = values(trial)
        row: list[Any] = [trial.number, _fate(trial), accuracy, trial.last_step or 0, seconds]
        writer.writerow(row + [chosen[name] for name in space])
    _place(folder / TRIALS, table.getvalue())
    if leader := best(study):
        _place(folder / RECIPE, replace(recipe, name="tuned", **values(leader)).to_json())


def _fate(trial: optuna.trial.FrozenTrial) -> str:
    """``finished``, ``stopped``, or why it was lost."""
    fate: str = trial.user_attrs.get(FATE, "finished" if trial.state.name == "COMPLETE" else "stopped")
    return fate


def _place(path: Path, text: str) -> None:
    try:
        with beside(path, text) as own:
            own.replace(path)
    except OSError as problem:
        raise TrainingError(
            f"{path} cannot be written ({problem.strerror}); when that is mended, the same command goes on"
        ) from None
