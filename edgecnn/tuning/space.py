"""Which fields of a recipe are searched, and over which values: ``space.json``, or a file like it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from edgecnn.training.recipe import KINDS, Optimizer, Recipe
from edgecnn_runtime.errors import EdgeCNNError, UsageError

if TYPE_CHECKING:
    import optuna

USUAL = Path(__file__).with_name("space.json")

Values = dict[str, Any]

# What the trials of a search have in common, and what is made for them before it begins.
_FIXED = {"name", "epochs", "seed", "validation", "teacher", "pretrained", "weights", "quantized"}
SEARCHABLE = {name: kind for name, kind in KINDS.items() if name not in _FIXED}


@dataclass(frozen=True)
class Range:
    """All values from ``low`` to ``high``: evenly in their logarithm, or in steps, if asked."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def edges(self) -> tuple[float, float]:
        """The least and the greatest value."""
        return self.low, self.high

    def suggest(self, trial: optuna.Trial, name: str) -> None:
        """Have the trial choose its value."""
        if isinstance(self.low, int):
            trial.suggest_int(name, self.low, int(self.high), step=int(self.step or 1), log=self.log)
        else:
            trial.suggest_float(name, self.low, self.high, step=self.step, log=self.log)

    def nearest(self, value: float) -> float:
        """The value of the range that is closest."""
        if self.step:
            value = self.low + round((value - self.low) / self.step) * self.step
        return min(max(value, self.low), self.high)


@dataclass(frozen=True)
class Choices:
    """Some values, of which none is closer to one than to another."""

    choices: tuple[Any, ...]

    @property
    def edges(self) -> tuple[Any, ...]:
        """Each of them."""
        return self.choices

    def suggest(self, trial: optuna.Trial, name: str) -> None:
        """Have the trial choose its value."""
        trial.suggest_categorical(name, self.choices)

    def nearest(self, value: Any) -> Any:
        """The choice that is closest; of names the first, unless it is one of them."""
        if isinstance(value, str):
            return value if value in self.choices else self.choices[0]
        return min(self.choices, key=lambda choice: abs(choice - value))


Space = dict[str, Range | Choices]


def read(path: Path, recipe: Recipe) -> Space:
    """The search space of a JSON file, checked against the recipe that it is to vary.

    Raises:
        UsageError: the file cannot be read, names a field that is not searched, or holds values that the field cannot
            have.
    """
    try:
        data = json.loads(path.read_text())
    except OSError as problem:
        raise UsageError(f"the search space {path} cannot be read ({problem.strerror})") from None
    except (ValueError, RecursionError):
        raise UsageError(f"the search space {path} is not JSON") from None
    if not isinstance(data, dict) or not data:
        raise UsageError(f"the search space {path} names no fields; give some of: {', '.join(SEARCHABLE)}")
    space = {}
    for name, given in data.items():
        if name not in SEARCHABLE:
            raise UsageError(f"{path}: {name!r} is not searched; these fields are: {', '.join(SEARCHABLE)}")
        try:
            space[name] = _one(given, SEARCHABLE[name])
            for value in space[name].edges:
                replace(recipe, **{name: value})
        except (TypeError, ValueError, OverflowError, EdgeCNNError) as problem:
            raise UsageError(f"{path}: {name}: {problem}") from None
    return space


def _one(given: Any, kind: type) -> Range | Choices:
    shape = 'expected {"low": 1, "high": 9}, with "log": true or "step" if wanted, or {"choices": [1, 9]}'
    if not isinstance(given, dict):
        raise ValueError(shape)
    if given.keys() == {"choices"} and isinstance(given["choices"], list) and given["choices"]:
        return Choices(tuple(dict.fromkeys(_value(each, kind) for each in given["choices"])))
    named: dict[type, str] = {
        kind: f'expected {{"choices": {json.dumps(values)}}}'
        for kind, values in ((bool, (False, True)), (str, get_args(Optimizer)))
    }
    if not {"low", "high"} <= given.keys() <= {"low", "high", "log", "step"} or kind in named:
        raise ValueError(named.get(kind, shape))
    low, high = _value(given["low"], kind), _value(given["high"], kind)
    step, log = given.get("step"), given.get("log", False)
    if not low < high:
        raise ValueError(f"low must be below high, got {low} and {high}")
    if not isinstance(log, bool) or (log and (step is not None or low <= 0)):
        raise ValueError("log is true or false, and if true goes with a low above 0 and without a step")
    if step is not None:
        step = _value(step, kind)
        if step <= 0 or not math.isclose((high - low) / step, round((high - low) / step)):
            raise ValueError(f"high must be a number of steps above low, got a step of {step}")
    return Range(low, high, log, step)


def _value(given: Any, kind: type) -> Any:
    if kind is str and isinstance(given, str):
        return given
    fits = isinstance(given, (int, float)) and math.isfinite(given) and isinstance(given, bool) == (kind is bool)
    if not fits or kind(given) != given:
        raise ValueError(f"expected values of the kind {kind.__name__}, got {json.dumps(given)}")
    return kind(given)


def start(space: Space, recipe: Recipe) -> Values:
    """The recipe's own values; one outside its range is moved to the nearest that is inside."""
    return {name: each.nearest(getattr(recipe, name)) for name, each in space.items()}


def suggest(space: Space, trial: optuna.Trial) -> None:
    """Have the trial choose a value for each field."""
    for name, each in space.items():
        each.suggest(trial, name)


def values(trial: optuna.Trial | optuna.trial.FrozenTrial) -> Values:
    """A trial's values. What comes from a range has three digits, of itself or of a range that is narrower.

    More would say nothing, and what is printed is what is trained by.
    """
    return {name: _rounded(value, trial.distributions[name]) for name, value in trial.params.items()}


def _rounded(value: Any, source: Any) -> Any:
    if not isinstance(value, float) or hasattr(source, "choices"):
        return value
    size = min(abs(value), source.high - source.low)
    digits = 2 - math.floor(math.log10(size)) if size else 0
    return min(max(round(value, digits), source.low), source.high)
