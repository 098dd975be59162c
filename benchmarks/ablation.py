"""What each part of a recipe gives: ``python benchmarks/ablation.py NETWORK RECIPE [--only WORD...] [--seeds 0 1 2]``.

Trains by the recipe, and by one that differs in a single choice, each with every seed, and prints one Markdown row a
choice. Judged by the 5,000 held-out images alone. Other options go to ``edgecnn train``: ``--epochs 15
--mixed-precision``. Runs that are there already are read, and one that was stopped is continued.
"""

from __future__ import annotations

import argparse
import csv
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.accuracy import trained
from edgecnn.training import recipe as recipes

CHANGES: dict[str, dict[str, Any]] = {
    "the recipe": {},
    "Adam at a rate of 0.01, weight decay of 0.001": {
        "optimizer": "adam",
        "learning_rate": 0.01,
        "weight_decay": 1e-3,
    },
    "half the learning rate": {"learning_rate": 0.01},
    "a tenth of the weight decay": {"weight_decay": 1e-3},
    "five times the weight decay": {"weight_decay": 5e-2},
    "batches of 128": {"batch_size": 128},
    "a constant learning rate": {"cosine": False},
    "no label smoothing": {"label_smoothing": 0.0},
    "no flip": {"flip": False},
    "no shift": {"shift": 0},
    "cutout of 8 pixels": {"cutout": 8},
    "cutmix of half the images": {"cutmix": 0.5},
    "averaging of the weights": {"averaging": 0.999},
    "a teacher, resnet20": {"teacher": "models/resnet20.keras", "distillation": recipes.DISTILLATION},
}


def accuracy(network: str, recipe: recipes.Recipe, folder: Path, more: list[str]) -> float:
    """Validation accuracy in per cent after the last epoch of one run."""
    out = folder / f"{network}-{recipe.name}-{recipe.seed}"
    folder.mkdir(parents=True, exist_ok=True)
    file = out.with_suffix(".json")
    file.write_text(recipe.to_json())
    with (trained(network, out, "--recipe", str(file), *more) / "history.csv").open() as history:
        return 100 * float(list(csv.DictReader(history))[-1]["validation_accuracy"])


def main() -> None:
    """Train what is missing and print a row a change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("recipe")
    parser.add_argument("--only", nargs="+", default=[""], metavar="WORD", help="changes in whose name one stands")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--folder", type=Path, default=Path("runs/ablation"))
    options, more = parser.parse_known_args()
    base = recipes.find(options.recipe)
    usual = 0.0
    rows = ["| Change | Validation accuracy, mean | Each | Against the recipe |", "|---|---:|---|---:|"]
    for name, change in CHANGES.items():
        if change and not any(word in name for word in options.only):
            continue
        changed = replace(base, **change, name=name.replace(" ", "-").replace(",", ""))
        seeds = [replace(changed, seed=seed) for seed in options.seeds]
        values = [accuracy(options.network, each, options.folder, more) for each in seeds]
        mean = statistics.mean(values)
        usual = usual or mean
        each = ", ".join(f"{value:.2f}" for value in values)
        rows.append(f"| {name} | {mean:.2f} % | {each} | {f'{mean - usual:+.2f}' if change else ''} |")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
