"""How a network was trained: the sections on the recipe and on the curves."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import partial
from typing import Any

from markupsafe import Markup

from edgecnn import plots
from edgecnn.report.figures import inline
from edgecnn.training.recipe import Recipe
from edgecnn.training.record import Record

_OF_THE_RECIPE = {"network", "recipe", "seed"}


@dataclass(frozen=True)
class Choice:
    """A field of the recipe."""

    name: str
    value: Any
    usual: bool


def recipe(record: Record) -> list[Choice]:
    """Every field of the recipe, and whether it is what a recipe has that does not mention it."""
    if record.recipe is None:
        return []
    return [
        Choice(each.name, value := getattr(record.recipe, each.name), value == each.default) for each in fields(Recipe)
    ]


def facts(record: Record) -> dict[str, Any]:
    """What the run says of itself beside its recipe, in its own words."""
    return {name: value for name, value in record.metrics.items() if name not in _OF_THE_RECIPE}


def curves(record: Record, name: str) -> list[Markup]:
    """Loss and accuracy over the epochs; ``name`` tells the figures from others of the page."""
    if not record.history:
        return []
    watched = "test" if record.recipe and record.recipe.validation == "test" else "validation"
    return [
        inline(
            f"{name}-{key}",
            f"{key} over the epochs",
            partial(plots.curve, history=record.history, key=key, watched=watched),
        )
        for key in ("loss", "accuracy")
    ]
