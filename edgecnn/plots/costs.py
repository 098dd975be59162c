"""What files cost, and what they are worth."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from edgecnn.plots.style import BLUE, GREEN, INK, ORANGE, QUIET, drawn, plain
from edgecnn.tradeoffs import Choice, best, fastest
from edgecnn_runtime.wording import counted

_KINDS = (BLUE, "o"), (ORANGE, "s"), (GREEN, "D")


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
    with drawn(path, 11, max(6, 1.6 + 0.28 * len(shown))) as figure:
        axis = figure.subplots()
        on_front = [index for index, each in enumerate(shown) if each in front]
        line = [shown[index].latency for index in on_front], [heights[index] for index in on_front]
        axis.plot(*line, "--", color=QUIET, drawstyle="steps-post", label="best trade-offs", zorder=1)
        for number, (each, height) in enumerate(zip(shown, heights, strict=True), start=1):
            colour, marker = _KINDS[backends.index(each.cost.backend)]
            edge = INK if each in front else "none"
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
    return figure


def _named(each: Choice) -> str:
    case = each.cost.case
    return plain(f"{case.file.stem}, {each.cost.backend}, {counted(case.threads, 'thread')}")


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
            arrowprops={"arrowstyle": "-", "color": QUIET, "shrinkB": 0},
        )
