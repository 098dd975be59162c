from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgecnn.training import recipe as recipes
from edgecnn.training.recipe import DEEP_RESIDUAL, DEFAULT, LESSON, RESIDUAL, TRANSFER, Recipe, planned
from edgecnn.zoo import NETWORKS
from edgecnn_runtime.errors import TrainingError, UsageError


def test_the_lessons_own_values() -> None:
    lessons = Recipe(
        name="lesson",
        epochs=10,
        batch_size=32,
        learning_rate=1e-3,
        cosine=False,
        warmup_epochs=0.0,
        weight_decay=0.0,
        label_smoothing=0.0,
        flip=False,
        shift=0,
        validation="test",
        pretrained=False,
        frozen_epochs=0,
        quantized=False,
        mixed_precision=False,
        seed=0,
    )
    assert lessons == LESSON


def test_only_the_lesson_watches_the_test_images() -> None:
    assert [name for name, recipe in recipes.RECIPES.items() if recipe.validation != "held-out"] == ["lesson"]


def test_every_network_has_a_recipe_of_its_own() -> None:
    assert {network.recipe for network in NETWORKS.values()} <= set(recipes.RECIPES)
    assert planned(None, NETWORKS["baseline"].recipe, False, {}) == DEFAULT
    assert planned(None, NETWORKS["resnet8"].recipe, False, {"seed": 3}) == replace(RESIDUAL, seed=3)
    assert planned(None, NETWORKS["resnet20"].recipe, False, {"seed": 3}) == replace(DEEP_RESIDUAL, seed=3)


def test_another_recipe_may_be_asked_for() -> None:
    assert planned("default", "residual", False, {}) == DEFAULT
    assert planned(None, "residual", False, {"pretrained": True}) == TRANSFER
    assert planned("residual", "default", False, {"pretrained": True}) == replace(RESIDUAL, pretrained=True)


@pytest.mark.parametrize("recipe", [*recipes.RECIPES.values(), replace(DEFAULT, seed=7, validation="none")])
def test_there_and_back(recipe: Recipe) -> None:
    assert Recipe.from_dict(json.loads(recipe.to_json())) == recipe


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("learning_rate", -1.0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("warmup_epochs", -1.0),
        ("weight_decay", -0.1),
        ("weight_decay", float("nan")),
        ("label_smoothing", -0.1),
        ("label_smoothing", 1.0),
        ("averaging", 1.0),
        ("cutmix", 1.5),
        ("cutout", -1),
        ("distillation", -0.5),
        ("shift", -1),
        ("crop", 0.0),
        ("crop", 1.5),
        ("cropped", 1.5),
        ("frozen_epochs", -1),
        ("validation", "tset"),
        ("epochs", 10**400),
        ("shift", 10**10),
        ("warmup_epochs", float("inf")),
        ("seed", -1),
        ("seed", 2**32),
    ],
)
def test_a_bad_value_is_named(field: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"^{field} must be .*{value}"):
        replace(LESSON, **{field: value})


@pytest.mark.parametrize(
    "change", [{"epochs": None}, {"seed": 1.5}, {"shift": "3"}, {"flip": 1}, {"epochs": True}, {"teacher": 0}]
)
def test_a_saved_value_of_another_kind(change: dict[str, Any]) -> None:
    (name,) = change
    with pytest.raises(TrainingError, match=f"the saved recipe's {name} is of the wrong kind, .*; expected "):
        Recipe.from_dict(json.loads(LESSON.to_json()) | change)


def test_at_least_one_epoch_sees_whole_images() -> None:
    seen = [replace(recipes.EDGE, epochs=epochs).crop_epochs for epochs in (1, 2, 3, 20, 100)]
    assert seen == [0, 1, 2, 13, 67]
    assert replace(recipes.EDGE, epochs=20, cropped=1.0).crop_epochs == 20


def test_a_share_of_the_epochs_that_no_float_is() -> None:
    assert 0.29 * 100 < 29
    assert replace(recipes.EDGE, epochs=100, cropped=0.29).crop_epochs == 29


def test_a_saved_number_that_no_float_can_hold() -> None:
    with pytest.raises(TrainingError, match="a number that is too large"):
        Recipe.from_dict(json.loads(LESSON.to_json()) | {"learning_rate": 10**400})


def test_weights_to_start_from_need_to_be_asked_for() -> None:
    with pytest.raises(UsageError, match=r"^weights to start from need pretrained to be true$"):
        Recipe.from_dict(json.loads(LESSON.to_json()) | {"weights": "runs/baseline"})


def test_what_is_saved_is_no_recipe_at_all() -> None:
    with pytest.raises(TrainingError, match="the saved recipe does not fit"):
        Recipe.from_dict(json.loads("[]"))


def test_a_whole_number_may_be_written_with_a_point_or_without() -> None:
    saved = json.loads(LESSON.to_json()) | {"batch_size": 32.0, "weight_decay": 0}
    recipe = Recipe.from_dict(saved)
    assert recipe == LESSON
    assert (type(recipe.batch_size), type(recipe.weight_decay)) == (int, float)


def test_a_saved_recipe_that_does_not_fit() -> None:
    saved = json.loads(LESSON.to_json()) | {"momentum": 0.9}
    with pytest.raises(TrainingError, match=r"the saved recipe does not fit .*its fields are: name, epochs"):
        Recipe.from_dict(saved)


def test_names() -> None:
    assert recipes.find("lesson") is LESSON
    assert recipes.find("default") is DEFAULT
    with pytest.raises(UsageError, match=r"no recipe is called 'best', and .*; there are: lesson, default"):
        recipes.find("best")


def test_a_recipe_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    mine = replace(DEFAULT, name="mine", cutout=8, seed=3)
    file.write_text(mine.to_json())
    assert recipes.find(str(file)) == mine
    assert planned(str(file), "default", False, {"seed": 5}) == replace(mine, seed=5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no recipe", r"recipe\.json is not a recipe: expected a recipe\.json"),
        ("[]", r"recipe\.json is not a recipe: expected a recipe\.json"),
        ('{"name": "mine"}', r"/recipe\.json: the saved recipe does not fit \(missing .*'epochs'"),
        ('{"epochs": "many"}', r"/recipe\.json: the saved recipe's epochs is of the wrong kind"),
    ],
)
def test_a_file_that_holds_no_recipe(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(text)
    with pytest.raises(TrainingError, match=message):
        recipes.find(str(tmp_path / "recipe.json"))


def test_a_recipe_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"the recipe .* cannot be read \(Is a directory\); name a recipe\.json"):
        recipes.find(str(tmp_path))


def test_a_teacher_brings_its_share_along() -> None:
    assert planned(None, "default", False, {"teacher": "runs/wise"}).distillation == recipes.DISTILLATION
    taught = planned(None, "default", False, {"teacher": "runs/wise", "distillation": 0.2})
    assert (taught.teacher, taught.distillation) == ("runs/wise", 0.2)


def test_a_recipe_with_a_teacher_keeps_its_share_for_another(tmp_path: Path) -> None:
    file = tmp_path / "recipe.json"
    file.write_text(replace(DEFAULT, teacher="runs/wise", distillation=0.3).to_json())
    taught = planned(str(file), "default", False, {"teacher": "runs/wiser"})
    assert (taught.teacher, taught.distillation) == ("runs/wiser", 0.3)
