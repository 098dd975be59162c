"""Every figure, in one style: colour-blind safe, labelled axes, readable at half size.

Each function writes its picture to ``path`` and returns the figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from edgecnn.metrics import measure
from edgecnn.tradeoffs import Choice, best, fastest
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.benchmark import counted

BLUE, ORANGE, GREEN, RED = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#B3261E",
)  # from Okabe and Ito's palette, 2008, and a darker red
_KINDS = (BLUE, "o"), (ORANGE, "s"), (GREEN, "D")

_STYLE: Any = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "lines.linewidth": 2,
    "savefig.dpi": 120,
    "figure.constrained_layout.use": True,
}


def curves(path: Path, history: Sequence[dict[str, float]], watched: str) -> Figure:
    """Loss and accuracy over the epochs, for training and for the ``watched`` images where there are any."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10, 4))
        axes = figure.subplots(1, 2)
        epochs = [row["epoch"] for row in history]
        for axis, key, title, scale in (
            (axes[0], "loss", "Loss", 1),
            (axes[1], "accuracy", "Accuracy (%)", 100),
        ):
            axis.plot(epochs, [scale * row[key] for row in history], "o-", color=BLUE, ms=4, label="training")
            if f"validation_{key}" in history[0]:
                values = [scale * row[f"validation_{key}"] for row in history]
                axis.plot(epochs, values, "s--", color=ORANGE, ms=4, label=watched)
            axis.set(xlabel="Epoch", ylabel=title, title=title.removesuffix(" (%)"))
            axis.xaxis.get_major_locator().set_params(integer=True)
            axis.legend(frameon=False)
        figure.savefig(path)
    return figure


def layer_errors(path: Path, errors: dict[str, float], title: str) -> Figure:
    """What quantization does to each layer by itself, the largest error on top."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(8, 1.2 + 0.3 * len(errors)))
        axis = figure.subplots()
        axis.barh([_plain(name) for name in errors], [100 * error for error in errors.values()], color=BLUE)
        axis.invert_yaxis()
        axis.grid(axis="y", visible=False)
        axis.set(xlabel="Error of the output by itself, relative to its size (%)", title=_plain(title))
        figure.savefig(path)
    return figure


def predictions(path: Path, data: Dataset, probabilities: Any) -> Figure:
    """The first images, each titled with its predicted label; a wrong one is red and names the true label too."""
    return _sheet(path, data, probabilities, np.arange(len(data)), "")


def mistakes(path: Path, data: Dataset, probabilities: Any) -> Figure:
    """The worst mistakes, titled likewise: the images that were given a wrong label with the highest probability."""
    wrong = np.flatnonzero(probabilities.argmax(-1) != data.labels)
    worst = wrong[np.argsort(-probabilities[wrong].max(-1), kind="stable")]
    return _sheet(path, data, probabilities, worst, f"{len(wrong):,} of {len(data):,} wrong, the worst first")


def _sheet(path: Path, data: Dataset, probabilities: Any, order: Any, title: str) -> Figure:
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(10, 11))
        places = figure.subplots(5, 5).ravel()
        for axis in places:
            axis.set_axis_off()
        for axis, index in zip(places, order, strict=False):
            guess, label = int(probabilities[index].argmax()), data.labels[index]
            caption, colour = f"{_short(data.label_names[guess])} {probabilities[index, guess]:.0%}", "black"
            if guess != label:
                caption, colour = f"{caption}\nis {_short(data.label_names[label])}", RED
            axis.imshow(data.images[index], interpolation="nearest")
            axis.set_title(caption, color=colour, fontsize=12)
        figure.suptitle(title)
        figure.savefig(path)
    return figure


def _short(label: str) -> str:
    """The label, cut to what fits above one of five columns."""
    return _plain(label if len(label) <= 16 else f"{label[:15]}…")


def _plain(label: str) -> str:
    """The label as it is: two dollar signs would make a formula of what stands between them."""
    return label.replace("$", r"\$")


def confusion(path: Path, data: Dataset, probabilities: Any) -> Figure:
    """How often each class (row) was given each label (column), in per cent of the class.

    Classes that have no images and were never given are left out.
    """
    counts = measure(data.labels, probabilities).confusion
    (shown,) = np.nonzero(counts.sum(0) + counts.sum(1))
    counts, names = counts[np.ix_(shown, shown)], [_plain(data.label_names[index]) for index in shown]
    share = 100 * counts / np.maximum(counts.sum(1, keepdims=True), 1)
    # Ten classes fill the page; more make it grow, up to a hundred, and then the writing shrinks.
    width = min(max(8.5, 0.3 * len(shown)), 30)
    with mpl.rc_context(_STYLE | {"axes.grid": False, "font.size": min(11, 30 * width / len(shown))}):
        figure = Figure(figsize=(width, width - 1))
        axis = figure.subplots()
        picture = axis.imshow(share, cmap="Blues", vmin=0, vmax=100)
        for row, column in np.argwhere(np.rint(share) > 0):
            colour = "white" if share[row, column] > 50 else "black"
            axis.text(column, row, f"{share[row, column]:.0f}", ha="center", va="center", color=colour)
        axis.set_xticks(range(len(shown)), names, rotation=45 if len(shown) <= 25 else 90, ha="right")
        axis.set_yticks(range(len(shown)), names)
        axis.set(xlabel="Predicted label", ylabel="True label", title="Confusion (% of the true class)")
        figure.colorbar(picture, shrink=0.8, label="% of the true class")
        figure.savefig(path)
    return figure


def tradeoffs(path: Path, choices: Sequence[Choice]) -> Figure:
    """Accuracy against latency, the size as the marker's area; without accuracies, size against latency.

    Each file in each interpreter is shown with the number of threads that is best for it, numbered from the fastest;
    colour and shape tell the interpreter. The Pareto front is a line, and what is on it is edged in black.
    """
    shown = sorted(fastest(choices), key=lambda each: each.latency)
    judged, front = choices[0].accuracy is not None, best(shown)
    heights = [each.cost.case.size / 1000 if each.accuracy is None else 100 * each.accuracy for each in shown]
    largest = max(each.cost.case.size for each in shown)
    backends = list(dict.fromkeys(each.cost.backend for each in shown))
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(11, max(6, 1.6 + 0.28 * len(shown))))
        axis = figure.subplots()
        on_front = [index for index, each in enumerate(shown) if each in front]
        line = [shown[index].latency for index in on_front], [heights[index] for index in on_front]
        axis.plot(*line, "--", color="#444444", drawstyle="steps-post", label="best trade-offs", zorder=1)
        for number, (each, height) in enumerate(zip(shown, heights, strict=True), start=1):
            colour, marker = _KINDS[backends.index(each.cost.backend)]
            edge = "black" if each in front else "white"
            area = 50 + 600 * each.cost.case.size / largest if judged else 120
            place, name = (each.latency, height), f"{number} {_named(each)}"
            axis.scatter(*place, s=area, c=colour, marker=marker, alpha=0.8, edgecolors=edge, label=name)
        axis.margins(0.1, 0.25)
        axis.tick_params(which="both", length=4, pad=4)
        axis.set_xscale("log")
        if not judged:
            axis.set_yscale("log")
        for scale in (axis.xaxis,) if judged else (axis.xaxis, axis.yaxis):
            scale.set_minor_locator(LogLocator(subs=(2, 5)))
            scale.set_major_formatter("{x:g}")
            scale.set_minor_formatter("{x:g}")
        axis.set(
            xlabel="Median latency of one image (ms)",
            ylabel="Accuracy (%)" if judged else "Size (kB)",
            title=f"Areas: sizes, the largest {largest / 1000:,.0f} kB" if judged else "",
        )
        keys: Any = axis.legend(loc="upper left", bbox_to_anchor=(1, 1), frameon=False).legend_handles
        for handle in keys[1:]:
            handle.set_sizes([60])
        _number(figure, axis, shown, heights)
        figure.savefig(path)
    return figure


def _named(each: Choice) -> str:
    case = each.cost.case
    return _plain(f"{case.file.stem}, {each.cost.backend}, {counted(case.threads, 'thread')}")


def _number(figure: Figure, axis: Axes, shown: Sequence[Choice], heights: Sequence[float]) -> None:
    """Number the markers from the left, each number above its own marker and above the numbers that are there."""
    figure.draw_without_rendering()  # only then it is known where the markers are
    taken: list[tuple[float, float]] = []
    for number, (each, height) in enumerate(zip(shown, heights, strict=True), start=1):
        x, y = axis.transData.transform((each.latency, height))
        place = y + 30
        while any(abs(x - left) < 25 and abs(place - bottom) < 25 for left, bottom in taken):
            place += 25
        taken.append((x, place))
        axis.annotate(
            str(number),
            (each.latency, height),
            (0, (place - y) * 72 / figure.dpi),
            textcoords="offset points",
            ha="center",
            arrowprops={"arrowstyle": "-", "color": "#888888", "shrinkB": 0},
        )
