"""What each part of a recipe gives: ``python benchmarks/ablation.py NETWORK RECIPE [--only WORD...] [--seeds 0 1 2]``.

Trains by the recipe, and by one that differs in a single choice, each with every seed, and prints one Markdown row a
choice. Judged by the 5,000 held-out images alone. Runs that are there already are read, and one that was stopped is
continued.
"""

from __future__ import annotations

import csv
import statistics
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.accuracy import asked_recipe, parser, trained
from edgecnn.training import recipe as recipes
from edgecnn.training.recipe import Recipe

CHANGES: dict[str, Callable[[Recipe], dict[str, Any]]] = {
    "the recipe": lambda usual: {},
    "Adam at a rate of 0.01, weight decay of 0.001": lambda usual: {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "weight_decay": 1e-3,
    },
    "half the learning rate": lambda usual: {"learning_rate": usual.learning_rate / 2},
    "a tenth of the weight decay": lambda usual: {"weight_decay": usual.weight_decay / 10},
    "five times the weight decay": lambda usual: {"weight_decay": usual.weight_decay * 5},
    "batches twice as large": lambda usual: {"batch_size": usual.batch_size * 2},
    "a constant learning rate": lambda usual: {"cosine": False},
    "no label smoothing": lambda usual: {"label_smoothing": 0.0},
    "no flip": lambda usual: {"flip": False},
    "no shift": lambda usual: {"shift": 0},
    "windows for two thirds of the epochs": lambda usual: {"cropped": 0.67},
    "whole images all along": lambda usual: {"cropped": 0.0},
    "cutout of 8 pixels": lambda usual: {"cutout": 8},
    "cutmix of half the images": lambda usual: {"cutmix": 0.5},
    "averaging of the weights": lambda usual: {"averaging": 0.999},
    "a teacher, resnet20": lambda usual: {"teacher": "models/resnet20.keras", "distillation": recipes.DISTILLATION},
}


def accuracy(network: str, recipe: Recipe, folder: Path) -> float:
    """Validation accuracy in per cent after the last epoch of one run."""
    run = trained(network, recipe, folder / f"{network}-{recipe.name}-{recipe.seed}")
    with (run / "history.csv").open() as history:
        return 100 * float(list(csv.DictReader(history))[-1]["validation_accuracy"])


def main() -> None:
    """Train what is missing and print a row a change."""
    commands = parser(__doc__, seeds=[0], folder="runs/ablation")
    commands.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="changes in whose name one stands")
    options = commands.parse_args()
    base = replace(asked_recipe(options), validation="held-out")
    usual = 0.0
    rows = ["| Change | Validation accuracy, mean | Each | Against the recipe |", "|---|---:|---|---:|"]
    for name, change in CHANGES.items():
        other = change(base)
        unwanted = not any(word in name for word in options.only) or replace(base, **other) == base
        if other and unwanted:
            continue
        changed = replace(base, **other, name=name.replace(" ", "-").replace(",", ""))
        seeds = [replace(changed, seed=seed) for seed in options.seeds]
        values = [accuracy(options.network, each, options.folder) for each in seeds]
        mean = statistics.mean(values)
        usual = usual or mean
        each = ", ".join(f"{value:.2f}" for value in values)
        rows.append(f"| {name} | {mean:.2f} % | {each} | {f'{mean - usual:+.2f}' if other else ''} |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
