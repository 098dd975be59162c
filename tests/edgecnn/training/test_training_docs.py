"""docs/training.md knows every recipe, every field and what it usually is."""

from __future__ import annotations

import json
import re
from dataclasses import MISSING, fields

from edgecnn import zoo
from edgecnn.training.recipe import RECIPES, Recipe
from tests.pages import DOCS, ROOT

PAGE = (DOCS / "training.md").read_text()


def rows(heading: str) -> dict[str, list[str]]:
    """A table's rows by what stands first in them."""
    table = PAGE.partition(f"| {heading} |")[2].partition("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]
    return {first.strip("`"): rest for first, *rest in cells}


def test_every_field_and_what_it_is_without_a_word() -> None:
    told = rows("Field")
    assert list(told) == [field.name for field in fields(Recipe)]
    for field in fields(Recipe):
        usual = told[field.name][1]
        if field.default is MISSING or field.default == "":
            assert usual in ("", "none"), field.name
        else:
            assert usual.strip("`") == re.sub(r"\.0$", "", json.dumps(field.default).strip('"')), field.name


def test_every_recipe_and_its_networks() -> None:
    told = rows("Recipe")
    assert set(told) == set(RECIPES)
    for name, (networks, _) in told.items():
        for network in re.findall(r"`(\w+\d+|edge-\w+)`", networks):
            assert zoo.find(network).recipe == name, network
    assert "(docs/training.md)" in (ROOT / "README.md").read_text()
