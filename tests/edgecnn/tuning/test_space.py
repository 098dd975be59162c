"""What may be searched, and what a file that says so may hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest

from edgecnn.training.recipe import DEFAULT, LESSON, RECIPES
from edgecnn.tuning import space
from edgecnn.tuning.space import SEARCHABLE, USUAL, Choices, Range
from edgecnn_runtime.errors import UsageError
from tests.edgecnn.tuning.conftest import Spaces


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_the_usual_space_suits_every_recipe(recipe: Any) -> None:
    usual = space.read(USUAL, recipe)
    assert len(usual) > 5
    for name, value in space.start(usual, recipe).items():
        # No weight decay at all has no place on a logarithmic scale.
        assert value == getattr(recipe, name) or (name, value) == ("weight_decay", 1e-5)


def test_a_file_becomes_ranges_and_choices_of_the_fields_kinds(space_file: Spaces) -> None:
    path = space_file(
        learning_rate={"low": 0.001, "high": 1, "log": True},
        cutmix={"low": 0, "high": 1, "step": 0.1},
        cutout={"low": 0, "high": 16, "step": 8},
        batch_size={"choices": [32, 64, 32]},
        flip={"choices": [False, True]},
        optimizer={"choices": ["adam", "muon"]},
    )
    assert space.read(path, DEFAULT) == {
        "learning_rate": Range(0.001, 1.0, log=True),
        "cutmix": Range(0.0, 1.0, step=0.1),
        "cutout": Range(0, 16, step=8),
        "batch_size": Choices((32, 64)),
        "flip": Choices((False, True)),
        "optimizer": Choices(("adam", "muon")),
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"lr": {"low": 1, "high": 2}}, "'lr' is not searched; these fields are: "),
        ({"epochs": {"low": 1, "high": 2}}, "'epochs' is not searched; these fields are: "),
        ({"validation": {"choices": ["test"]}}, "'validation' is not searched; these fields are: "),
        ({"cutout": [0, 16]}, "cutout: expected {"),
        ({"cutout": {"low": 0}}, "cutout: expected {"),
        ({"cutout": {"low": 0, "high": 16, "steps": 4}}, "cutout: expected {"),
        ({"cutout": {"choices": []}}, "cutout: expected {"),
        ({"flip": {"low": 0, "high": 1}}, 'flip: expected {"choices": [false, true]}'),
        ({"cutout": {"low": 0, "high": 8.5}}, "cutout: expected values of the kind int, got 8.5"),
        ({"cutout": {"low": 0, "high": 10**400}}, "cutout: "),
        ({"cutout": {"low": False, "high": 8}}, "cutout: expected values of the kind int, got false"),
        ({"cutmix": {"choices": ["a"]}}, 'cutmix: expected values of the kind float, got "a"'),
        ({"weight_decay": {"low": 0.1, "high": float("inf")}}, "weight_decay: expected values of the kind float, got"),
        ({"cutout": {"low": 8, "high": 8}}, "cutout: low must be below high, got 8 and 8"),
        ({"cutmix": {"low": 0, "high": 1, "log": True}}, "cutmix: log is true or false, and if true goes with a low"),
        ({"cutout": {"low": 0, "high": 16, "step": 5}}, "cutout: high must be a number of steps above low"),
        ({"cutmix": {"low": 0, "high": 1.5}}, "cutmix: cutmix must be from 0 to 1, got 1.5"),
        ({"optimizer": {"low": 0, "high": 1}}, 'optimizer: expected {"choices": ["adam", "muon"]}'),
        ({"optimizer": {"choices": [1]}}, "optimizer: expected values of the kind str, got 1"),
        ({"optimizer": {"choices": ["sgd"]}}, "optimizer: optimizer must be one of adam, muon, got 'sgd'"),
        ({"distillation": {"low": 0.1, "high": 1}}, "distillation: a teacher and the share of its answers"),
    ],
    ids=str,
)
def test_what_a_recipe_cannot_have_is_refused(given: dict[str, Any], message: str, space_file: Spaces) -> None:
    path = space_file(**given)
    with pytest.raises(UsageError) as problem:
        space.read(path, DEFAULT)
    assert str(problem.value).startswith(f"{path}: {message}")


def test_a_file_that_is_none(tmp_path: Path, space_file: Spaces) -> None:
    with pytest.raises(UsageError, match=r"nowhere cannot be read \(No such file or directory\)"):
        space.read(tmp_path / "nowhere", DEFAULT)
    with pytest.raises(UsageError, match="names no fields; give some of: batch_size, learning_rate, "):
        space.read(space_file(), DEFAULT)
    (tmp_path / "text").write_text("{'a': 1}")
    with pytest.raises(UsageError, match="text is not JSON"):
        space.read(tmp_path / "text", DEFAULT)


def test_names_weights_and_what_is_watched_are_nobodys_to_search() -> None:
    left = set(DEFAULT.__dict__) - set(SEARCHABLE)
    assert left == {"name", "epochs", "seed", "validation", "teacher", "pretrained", "weights", "quantized"}


def test_a_value_outside_is_moved_inside() -> None:
    assert [Range(0, 16, step=4).nearest(value) for value in (-3, 5, 7, 99)] == [0, 4, 8, 16]
    assert [Range(0.1, 0.2).nearest(value) for value in (0.0, 0.15, 0.3)] == [0.1, 0.15, 0.2]
    assert [Choices((32, 128)).nearest(value) for value in (1, 64, 512)] == [32, 32, 128]
    assert Choices((False,)).nearest(True) is False
    assert [Choices(("muon", "adam")).nearest(name) for name in ("adam", "sgd")] == ["adam", "muon"]
    assert space.start({"weight_decay": Range(1e-5, 0.1, log=True)}, LESSON) == {"weight_decay": 1e-5}


def test_three_digits_are_kept_of_what_comes_from_a_range() -> None:
    searched: space.Space = {
        "learning_rate": Range(1e-4, 1e-1, log=True),
        "cutmix": Range(0.0, 1.0, step=0.1),
        "batch_size": Range(1, 20000),
        "label_smoothing": Choices((0.12345, 0.2)),
        "averaging": Range(0.9, 0.9999),
        "flip": Choices((False, True)),
    }
    study = optuna.create_study()
    drawn = {
        "learning_rate": 0.00123456,
        "cutmix": 0.30000000000000004,
        "batch_size": 12345,
        "label_smoothing": 0.12345,
        "averaging": 0.99987,
        "flip": True,
    }
    study.enqueue_trial(drawn)
    trial = study.ask()
    space.suggest(searched, trial)
    assert space.values(trial) == drawn | {"learning_rate": 0.00123, "cutmix": 0.3, "averaging": 0.9999}


@pytest.mark.parametrize(("value", "kept"), [(0.9991234, 0.999123), (0.9998, 0.9998), (0.99949999, 0.9995)])
def test_the_digits_of_a_narrow_range_are_its_own(value: float, kept: float) -> None:
    study = optuna.create_study()
    study.enqueue_trial({"averaging": value})
    trial = study.ask()
    space.suggest({"averaging": Range(0.999, 0.9999)}, trial)
    assert space.values(trial) == {"averaging": kept}
