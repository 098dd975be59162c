"""Test accuracy over seeds: ``python benchmarks/accuracy.py NETWORK RECIPE [--seeds 0 1 2] [--folder runs/accuracy]``.

Other options go to ``edgecnn train``: ``python benchmarks/accuracy.py resnet8 residual --mixed-precision``.

Trains what is not there yet, each seed as ``edgecnn train`` does it, and prints the mean and the spread of the test
accuracies that the runs noted in their ``metrics.json``. On two cores ``baseline`` takes minutes, ``deeper`` an hour.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

from edgecnn.cli.main import run as edgecnn


def accuracy(network: str, recipe: str, seed: int, folder: Path, more: list[str]) -> float:
    """Test accuracy in per cent of one run, which is trained or continued if it is not finished."""
    out = folder / f"{network}-{recipe}-{seed}"
    if not (out / "metrics.json").exists():
        words = ["train", network, "--out", str(out)]
        begun = (out / "checkpoint.npz").exists()
        if edgecnn(words + (["--resume"] if begun else ["--recipe", recipe, "--seed", str(seed), *more])):
            sys.exit(1)
    return 100 * float(json.loads((out / "metrics.json").read_text())["test_accuracy"])


def main() -> None:
    """Train what is missing and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, default=Path("runs/accuracy"))
    options, more = parser.parse_known_args()
    values = [accuracy(options.network, options.recipe, seed, options.folder, more) for seed in options.seeds]
    spread = f", standard deviation {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    print(
        f"{options.network}, {options.recipe}: mean {statistics.mean(values):.2f} %{spread} "
        f"({', '.join(f'{value:.2f}' for value in values)}; seeds {', '.join(map(str, options.seeds))})"
    )


if __name__ == "__main__":
    main()
