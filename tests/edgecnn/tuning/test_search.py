"""How a trial ends: real training of the baseline network on a hundred images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.distributions import BaseDistribution, FloatDistribution

from edgecnn import zoo
from edgecnn.data.cifar10 import Cifar10
from edgecnn.training.recipe import DEFAULT
from edgecnn.tuning import findings, study
from edgecnn.tuning.search import Task, search
from edgecnn.tuning.space import Choices, Range

pytestmark = pytest.mark.usefixtures("keras")

SPACE = {"learning_rate": Range(1e-3, 3e-3, log=True)}
HUGE = {"learning_rate": Choices((1e30,))}
RECIPE = replace(DEFAULT, epochs=2, batch_size=50)

Try = Callable[..., list[str]]


@pytest.fixture
def kept(tmp_path: Path) -> optuna.Study:
    return study.opened(tmp_path, {}, RECIPE.epochs, {})


@pytest.fixture
def tried(kept: optuna.Study, few: Cifar10) -> Try:
    """Search until so many trials have ended, and give the lines of those that ended now."""

    def run(trials: int, searched: Any = SPACE, load_weights: Any = None) -> list[str]:
        lines: list[str] = []
        task = Task(zoo.find("baseline"), RECIPE, searched, *few.split(), load_weights)
        search(task, kept, trials, 0, lambda number: lines.append(findings.line(kept, number)))
        return lines

    return run


def test_a_trial_that_falls_behind_is_stopped(kept: optuna.Study, tried: Try) -> None:
    values = {"learning_rate": 2e-3}
    ranges: dict[str, BaseDistribution] = {"learning_rate": FloatDistribution(1e-3, 3e-3, log=True)}
    for _ in range(5):
        ahead = optuna.trial.create_trial(
            value=0.9, params=values, distributions=ranges, intermediate_values={1: 0.8, 2: 0.9}
        )
        kept.add_trial(ahead)
    (line,) = tried(6)
    assert line.startswith("trial 0  stopped after epoch 1 at ")
    assert "  best 90.00% (trial " in line
    assert list(kept.trials[0].intermediate_values) == [1]


def test_a_trial_that_does_not_is_judged_by_its_last_epoch(kept: optuna.Study, tried: Try) -> None:
    (line,) = tried(1)
    (trial,) = study.ended(kept)
    assert trial.value == trial.intermediate_values[2]
    assert line == (
        f"trial 0  validation {trial.value:.2%}  best {trial.value:.2%} (trial 0)  "
        f"learning_rate {trial.params['learning_rate']:.3g}"
    )


def test_divergence_is_a_bad_trial_and_no_crash(kept: optuna.Study, tried: Try) -> None:
    assert tried(2, HUGE) == ["trial 0  diverged  learning_rate 1e+30", "trial 1  diverged  learning_rate 1e+30"]
    assert [trial.state.name for trial in study.ended(kept)] == ["PRUNED", "PRUNED"]
    assert study.best(kept) is None


def test_too_little_memory_is_a_bad_trial_and_no_crash(kept: optuna.Study, tried: Try) -> None:
    import tensorflow as tf

    def in_numpy(model: Any) -> None:
        np.empty((10**7, 10**7))

    def in_tensorflow(model: Any) -> None:
        tf.zeros((10**7, 10**7))

    for number, load_weights in enumerate((in_numpy, in_tensorflow)):
        (line,) = tried(number + 1, load_weights=load_weights)
        assert line.startswith(f"trial {number}  out of memory  learning_rate ")


def test_values_that_the_network_cannot_learn_by_are_a_bad_trial_and_no_end(kept: optuna.Study, tried: Try) -> None:
    lines = tried(2, {"cropped": Choices((1.0,))})
    for number, line in enumerate(lines):
        assert line.startswith(f"trial {number}  refused: baseline cannot learn from windows of 24 x 24 pixels; ")
    assert [trial.state.name for trial in study.ended(kept)] == ["PRUNED", "PRUNED"]


def test_what_is_not_the_recipes_fault_ends_the_search_and_costs_no_trial(kept: optuna.Study, tried: Try) -> None:
    def fails(model: Any) -> None:
        raise RuntimeError("no weights")

    with pytest.raises(RuntimeError, match="no weights"):
        tried(1, load_weights=fails)
    assert not study.ended(kept)
    tried(1)
    failed, ended = kept.trials
    assert failed.params == ended.params
