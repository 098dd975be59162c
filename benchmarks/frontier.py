"""Accuracy for the size of an int8 file: ``python benchmarks/frontier.py [RUN...] [--picture FILE.png]``.

Each run is a folder of ``edgecnn train``; those of one network and recipe are its seeds. Exports to ``RUN/exported``
what is not there yet, refused if int8 loses more than its 0.5 points, and prints one Markdown row a network: size of
the int8 TFLite model without its contract, test accuracy of the float model, of the TFLite file (LiteRT) and of the
ONNX file. The picture shows the TFLite files of the runs, and of the rows in ``docs/results.md`` of other networks,
whose runs may be on another machine, among published networks; theirs is the size of their weights in eight bits where
no int8 file was published.
"""

from __future__ import annotations

import argparse
import re
import statistics
import sys
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgecnn.cli.main import run as edgecnn
from edgecnn.plots.style import BLUE, ORANGE, drawn
from edgecnn.training.recipe import Recipe, find
from edgecnn_runtime import container

PAGE = Path(__file__).parents[1] / "docs" / "results.md"

COLUMNS = {
    "Network": "---",
    "Recipe, epochs": "---",
    "Seeds": "---",
    "Size, kB": "---:",
    "Float": "---:",
    "int8 TFLite, mean": "---:",
    "Standard deviation": "---:",
    "Each": "---",
    "Change": "---:",
    "int8 ONNX, mean": "---:",
    "Its change": "---:",
}

HEADING = "| " + " | ".join(COLUMNS) + " |\n|" + "|".join(COLUMNS.values()) + "|"


@dataclass(frozen=True)
class Published:
    """A network as its paper has it: test accuracy in per cent, and kB in eight bits."""

    name: str
    size: float
    accuracy: float


PUBLISHED = (
    Published("MLPerf Tiny ResNet8", 98, 87.02),  # Banbury et al., "MLPerf Tiny Benchmark", 2021, int8 file
    Published("ResNet-20", 270, 92.60),  # github.com/chenyaofo/pytorch-cifar-models, likewise the next
    Published("ResNet-56", 860, 94.37),
    Published("WRN-16-4", 2750, 94.98),  # Zagoruyko and Komodakis, "Wide Residual Networks", 2016
)


@dataclass(frozen=True)
class Exported:
    """A run and its int8 files: accuracies in per cent, size in bytes."""

    network: str
    recipe: Recipe
    size: int
    reference: float
    accuracy: dict[str, float]


def exported(run: Path) -> Exported:
    """Export ``run`` if that is still to do, and read what its files carry."""
    out = run / "exported"
    if len(list(out.glob("*-int8.*[ex]"))) < 2 and edgecnn(["export", str(run), "--int8", "--out", str(out)]):
        sys.exit(1)
    size, reference, accuracy = 0, 0.0, {}
    for form in ("tflite", "onnx"):
        [file] = out.glob(f"*-int8.{form}")
        contract, _ = container.read(file)
        result = contract.parity["results"][0]
        reference, accuracy[form] = 100 * contract.parity["reference_accuracy"], 100 * result["accuracy"]
        size = size or result["size"]
    return Exported(contract.model, find(str(run / "recipe.json")), size, reference, accuracy)


def row(seeds: list[Exported]) -> str:
    """One line of the table."""
    first, mean = seeds[0], statistics.mean
    lite, onnx = ([each.accuracy[form] for each in seeds] for form in ("tflite", "onnx"))
    reference = mean(each.reference for each in seeds)
    cells = [
        f"`{first.network}`",
        f"`{first.recipe.name}`, {first.recipe.epochs}",
        ", ".join(str(each.recipe.seed) for each in seeds),
        f"{first.size / 1000:,.1f}",
        f"{reference:.2f} %",
        f"{mean(lite):.2f} %",
        f"{statistics.stdev(lite):.2f}" if len(seeds) > 1 else "",
        ", ".join(f"{value:.2f}" for value in lite),
        f"{mean(lite) - reference:+.2f}",
        f"{mean(onnx):.2f} %",
        f"{mean(onnx) - reference:+.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def told(rows: list[str]) -> list[dict[str, str]]:
    """The cells of rows of the table, by column."""
    cells = (re.split(r" *\| *", line.strip("| ")) for line in rows)
    return [dict(zip(COLUMNS, each, strict=True)) for each in cells]


def others(page: str, rows: list[str]) -> list[str]:
    """The rows of the page's table of networks and recipes that have none among ``rows``."""
    _, found, table = page.partition(f"{HEADING}\n")
    if not found:
        sys.exit(f"error: {PAGE} has no table with this heading")
    new = {(each["Network"], each["Recipe, epochs"]) for each in told(rows)}
    lines = table.partition("\n\n")[0].splitlines()
    cells = zip(lines, told(lines), strict=True)
    return [line for line, each in cells if (each["Network"], each["Recipe, epochs"]) not in new]


def called(row: dict[str, str], rows: list[dict[str, str]]) -> str:
    """The network's name, and its recipe's where there are several of it."""
    several = sum(each["Network"] == row["Network"] for each in rows) > 1
    recipe = f", {row['Recipe, epochs'].partition(',')[0]}" if several else ""
    return f"{row['Network']}{recipe}".replace("`", "")


def picture(path: Path, rows: list[dict[str, str]]) -> None:
    """Accuracy against size: mean and range of the seeds, and the published networks."""
    with drawn(path, 8, 5) as figure:
        axis = figure.subplots()
        sizes = [float(each["Size, kB"].replace(",", "")) for each in rows]
        values = [[float(value) for value in each["Each"].split(", ")] for each in rows]
        means = np.array([statistics.mean(each) for each in values])
        spread = np.abs(np.array([[min(each), max(each)] for each in values]).T - means)
        axis.errorbar(sizes, means, spread, fmt="o", color=BLUE, capsize=4, label="edgecnn, int8 TFLite file")
        places = [each.size for each in PUBLISHED], [each.accuracy for each in PUBLISHED]
        axis.plot(*places, "s", color=ORANGE, label="published")
        names = [(called(each, rows), *place) for each, *place in zip(rows, sizes, means, strict=True)]
        for name, size, accuracy in [*names, *((each.name, each.size, each.accuracy) for each in PUBLISHED)]:
            axis.annotate(name, (size, accuracy), (7, -4), textcoords="offset points", va="top", fontsize=9)
        axis.set_xscale("log")
        axis.margins(x=0.25, y=0.1)
        axis.xaxis.set_major_formatter("{x:,g}")
        axis.set(xlabel="Size in eight bits (kB)", ylabel="Test accuracy on CIFAR-10 (%)")
        axis.legend(loc="lower right")


def main() -> None:
    """Print the table and draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", type=Path, nargs="*", metavar="RUN")
    parser.add_argument("--picture", type=Path)
    options = parser.parse_args()
    groups: dict[tuple[str, Recipe], list[Exported]] = defaultdict(list)
    for run in options.runs:
        done = exported(run)
        groups[done.network, replace(done.recipe, seed=0)].append(done)
    networks = sorted(groups.values(), key=lambda seeds: seeds[0].size)
    rows = [row(seeds) for seeds in networks]
    print(HEADING, *rows, sep="\n")
    if options.picture:
        picture(options.picture, told([*others(PAGE.read_text(), rows), *rows]))


if __name__ == "__main__":
    main()
