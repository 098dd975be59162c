"""A search over recipes, from top to bottom: each trial is a training run, judged by the validation images alone."""

from __future__ import annotations

import gc
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgecnn.training.memory import is_out_of_memory
from edgecnn.training.recipe import Recipe
from edgecnn.training.train import train
from edgecnn.tuning.space import Space, values
from edgecnn.tuning.study import asked, ended, put_back
from edgecnn.zoo.network import Network
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    import keras
    import optuna

    from edgecnn_export.dataset import Dataset

FATE = "fate"
"""A trial's attribute with what became of it, where that was not an accuracy."""


@dataclass(frozen=True)
class Task:
    """What every trial of a search shares.

    Attributes:
        network: what is trained.
        recipe: how, but for the fields of the space.
        space: the fields that are searched.
        learning: the images to learn from.
        validation: the images to choose by.
        load_weights: puts pretrained weights into a new model, and gives the names of the layers that it had none for.
    """

    network: Network
    recipe: Recipe
    space: Space
    learning: Dataset
    validation: Dataset
    load_weights: Callable[[keras.Model], list[str]] | None = None


def search(task: Task, study: optuna.Study, trials: int, seed: int, tell: Callable[[int], None]) -> None:
    """Try recipes until ``trials`` of them have ended, those of other processes and of earlier sittings counted.

    Args:
        task: what is tried.
        study: where it is kept.
        trials: how many.
        seed: of the values.
        tell: told the number of each trial that has ended here.

    Raises:
        KeyboardInterrupt: Ctrl-C; the running trial's values are kept for another.
    """
    import keras
    import optuna

    # TensorFlow warns of functions that are compiled again and again; here each is of another trial.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    while len(ended(study)) < trials:
        trial = asked(study, task.space, seed)
        try:
            accuracy = _accuracy(task, trial)
        except BaseException:
            put_back(study, trial)
            raise
        if accuracy is None:
            study.tell(trial, state=optuna.trial.TrialState.PRUNED)
        else:
            study.tell(trial, accuracy)
        tell(trial.number)
        # Models refer to themselves in circles, and Keras keeps their names.
        keras.utils.clear_session()
        gc.collect()


def _accuracy(task: Task, trial: optuna.Trial) -> float | None:
    """The validation accuracy after the last epoch of a run with the trial's values; none, if it is given up before.

    To Optuna's sampler a trial without an accuracy is worse than all that have one.
    """
    import optuna

    recipe = replace(task.recipe, **values(trial))

    def watch(row: dict[str, float]) -> None:
        if not math.isfinite(row["loss"] + row["validation_loss"]):
            trial.set_user_attr(FATE, "diverged")
            raise optuna.TrialPruned
        trial.report(row["validation_accuracy"], round(row["epoch"]))
        if row["epoch"] < recipe.epochs and trial.should_prune():
            raise optuna.TrialPruned

    try:
        with TemporaryDirectory() as folder:
            trained = train(
                task.network,
                recipe,
                task.learning,
                task.validation,
                Path(folder),
                load_weights=task.load_weights,
                watch=watch,
            )
    except optuna.TrialPruned:
        return None
    except UsageError as problem:
        trial.set_user_attr(FATE, f"refused: {problem}")
        return None
    except Exception as problem:
        if not is_out_of_memory(problem):
            raise
        trial.set_user_attr(FATE, "out of memory")
        return None
    return trained.history[-1]["validation_accuracy"]
