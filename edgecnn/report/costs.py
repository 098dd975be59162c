"""What the files cost on this machine: the section on the benchmark."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from markupsafe import Markup

from edgecnn import plots
from edgecnn.report.answers import Evidence
from edgecnn.report.figures import inline
from edgecnn.tradeoffs import Choice
from edgecnn_export.parity import Exported
from edgecnn_runtime.benchmark import Case, Cost, cases, measure
from edgecnn_runtime.errors import BackendError
from edgecnn_runtime.machine import Machine, this_machine


@dataclass(frozen=True)
class Costs:
    """What was measured.

    Attributes:
        machine: this one.
        rounds: how many times each was measured.
        costs: a file in an interpreter with a number of threads.
        failures: why a file, or an interpreter with one, could not be measured, by the file's path.
    """

    machine: Machine
    rounds: int
    costs: list[Cost]
    failures: list[tuple[Path, str]] = field(default_factory=list)


def measured(files: Sequence[Exported], rounds: int, progress: Callable[[int, int], None]) -> Costs:
    """Measure files in every installed interpreter, on one thread and on as many as there are cores, in turn."""
    machine, failures = this_machine(), list[tuple[Path, str]]()
    everything: list[Case] = []
    for each in files:
        try:
            everything += cases(each.path, [], [1, machine.cores])
        except BackendError as problem:
            failures.append((each.path, str(problem)))
    costs = measure(everything, rounds, progress, lambda case, problem: failures.append((case.file, str(problem))))
    return Costs(machine, rounds, costs, failures)


def choices(costs: Costs, files: Sequence[Exported], evidence: Evidence | None) -> list[Choice]:
    """Of some of the files, the costs with the accuracy that was measured there."""
    paths = [each.path for each in files]
    return [Choice(each, *_accuracy(each, evidence)) for each in costs.costs if each.case.file in paths]


def _accuracy(cost: Cost, evidence: Evidence | None) -> tuple[float, tuple[float, float]] | tuple[()]:
    if evidence and (answered := evidence.of_file(cost.case.file, cost.backend)):
        return answered.metrics.accuracy, answered.metrics.interval
    return ()


def failures(costs: Costs, files: Sequence[Exported]) -> list[str]:
    """Why some of the files could not be measured."""
    paths = [each.path for each in files]
    return [why for path, why in costs.failures if path in paths]


def chart(found: Sequence[Choice], name: str) -> Markup:
    """Accuracy against latency, of those that have one; where none has, the size."""
    shown = [each for each in found if each.accuracy is not None] or found
    return inline(f"{name}-benchmark", "latency and accuracy of the files", partial(plots.tradeoffs, choices=shown))
