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
from itertools import chain, pairwise
from pathlib import Path

from edgecnn.cli.main import run as edgecnn


def trained(network: str, out: Path, *choices: str) -> Path:
    """The run ``out``, which ``edgecnn train`` makes with these options, or continues, if it is not finished."""
    if not (out / "metrics.json").exists():
        if (out / "checkpoint.npz").exists():
            # The run knows the others.
            asked = [words for words in pairwise(choices) if words[0] in ("--data", "--devices")]
            choices = ("--resume", *chain.from_iterable(asked))
        if edgecnn(["train", network, "--out", str(out), *choices]):
            sys.exit(1)
    return out


def accuracy(run: Path) -> float:
    """Test accuracy in per cent."""
    return 100 * float(json.loads((run / "metrics.json").read_text())["test_accuracy"])


def main() -> None:
    """Train what is missing and print one line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network")
    parser.add_argument("recipe")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--folder", type=Path, default=Path("runs/accuracy"))
    options, more = parser.parse_known_args()
    values = []
    for seed in options.seeds:
        out = options.folder / f"{options.network}-{options.recipe}-{seed}"
        run = trained(options.network, out, "--recipe", options.recipe, "--seed", str(seed), *more)
        values.append(accuracy(run))
    spread = f", standard deviation {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    print(
        f"{options.network}, {options.recipe}: mean {statistics.mean(values):.2f} %{spread} "
        f"({', '.join(f'{value:.2f}' for value in values)}; seeds {', '.join(map(str, options.seeds))})"
    )


if __name__ == "__main__":
    main()
