"""Test accuracy over seeds: ``python benchmarks/accuracy.py NETWORK RECIPE [--seeds 0 1 2] [--folder runs/accuracy]``.

Trains what is not there yet, each seed as ``edgecnn train`` does it, and prints the mean and the spread of the test
accuracies that the runs noted in their ``metrics.json``. On two cores ``baseline`` takes minutes, ``deeper`` an hour.
``--data`` and ``--devices`` go to ``edgecnn train``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from edgecnn.cli.main import run as edgecnn
from edgecnn.training import checkpoint, recipe
from edgecnn.training.recipe import Recipe
from edgecnn.training.train import CHECKPOINT


def trained(network: str, asked: Recipe, out: Path, others: Sequence[str] = ()) -> Path:
    """The run ``out``, which ``edgecnn train`` makes by this recipe, or continues, if it is not finished.

    Args:
        network: its name.
        asked: the recipe; a run by another one is an error.
        out: folder of the run.
        others: options of ``edgecnn train`` that are not the recipe's.
    """
    finished, begun = (out / "metrics.json").exists(), (out / CHECKPOINT).exists()
    if finished or begun:
        saved = recipe.find(str(out / "recipe.json")) if finished else checkpoint.peek(out / CHECKPOINT)[1]
        if saved != asked:
            sys.exit(f"error: {out} was trained by another recipe; name another --folder")
    if finished:
        return out
    out.parent.mkdir(parents=True, exist_ok=True)
    file = out.with_name(f"{out.name}.json")
    file.write_text(asked.to_json())
    if edgecnn(["train", network, "--out", str(out), *(["--resume"] if begun else ["--recipe", str(file)]), *others]):
        sys.exit(1)
    return out


def accuracy(run: Path) -> float:
    """Test accuracy in per cent."""
    return 100 * float(json.loads((run / "metrics.json").read_text())["test_accuracy"])


def parser(description: str | None, seeds: list[int], folder: str) -> argparse.ArgumentParser:
    """Of a command that trains a network by a recipe, with these usual seeds, into folders in ``folder``."""
    made = argparse.ArgumentParser(description=description)
    made.add_argument("network")
    made.add_argument("recipe")
    made.add_argument("--seeds", type=int, nargs="+", default=seeds)
    made.add_argument("--folder", type=Path, default=Path(folder))
    made.add_argument("--epochs", type=int, help="instead of the recipe's")
    made.add_argument("--mixed-precision", action="store_true", help="in bfloat16")
    return made


def asked_recipe(options: argparse.Namespace) -> Recipe:
    """The recipe that is named, as the other options change it."""
    base = recipe.find(options.recipe)
    epochs, mixed = options.epochs or base.epochs, options.mixed_precision or base.mixed_precision
    return replace(base, epochs=epochs, mixed_precision=mixed)


def main() -> None:
    """Train what is missing and print one line."""
    commands = parser(__doc__, seeds=[0, 1, 2], folder="runs/accuracy")
    commands.add_argument("--full", action="store_true", help="on the validation images too")
    options, others = commands.parse_known_args()
    asked = asked_recipe(options)
    if options.full:
        asked = replace(asked, validation="none")
    values = []
    for seed in options.seeds:
        out = options.folder / f"{options.network}-{asked.name}-{seed}"
        values.append(accuracy(trained(options.network, replace(asked, seed=seed), out, others)))
    spread = f", standard deviation {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    print(
        f"{options.network}, {asked.name}: mean {statistics.mean(values):.2f} %{spread} "
        f"({', '.join(f'{value:.2f}' for value in values)}; seeds {', '.join(map(str, options.seeds))})"
    )


if __name__ == "__main__":
    main()
