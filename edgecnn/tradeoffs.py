"""Which measured files are worth choosing from, and where eight bits do not pay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from edgecnn_runtime.benchmark import Cost

_SLOWER = 1.05  # less is noise


@dataclass(frozen=True)
class Choice:
    """A file in an interpreter with a number of threads: what it costs, and how good it is.

    Attributes:
        cost: measured on this machine.
        accuracy: share of the images whose label is right, 0 to 1; None if there were no images.
        interval: its 95 % interval.
    """

    cost: Cost
    accuracy: float | None = None
    interval: tuple[float, float] | None = None

    @property
    def latency(self) -> float:
        """Median milliseconds of an inference."""
        return self.cost.median_ms

    @property
    def regret(self) -> float:
        """What is to be small besides the latency: the share of wrong labels; without images, the size."""
        return self.cost.case.size if self.accuracy is None else 1 - self.accuracy


def best(choices: Sequence[Choice]) -> list[Choice]:
    """The Pareto front, the fastest first: all but those that another one beats or equals in both respects."""
    front: list[Choice] = []
    for each in sorted(choices, key=lambda each: (each.latency, each.regret)):
        if not front or each.regret < front[-1].regret:
            front.append(each)
    return front


def fastest(choices: Sequence[Choice]) -> list[Choice]:
    """Each file in each interpreter with the number of threads that is best for it, in the order given."""
    found: dict[tuple[object, str], Choice] = {}
    for each in choices:
        key = (each.cost.case.file, each.cost.backend)
        if key not in found or each.latency < found[key].latency:
            found[key] = each
    return list(found.values())


def slower_in_int8(choices: Sequence[Choice]) -> list[tuple[Choice, Choice]]:
    """The int8 and the float file of each model and interpreter where the int8 one takes 5 % longer or more.

    Of several float files the fastest counts, and of each file the number of threads that is best for it.
    """
    groups: dict[tuple[str, str], dict[bool, Choice]] = {}
    for each in sorted(choices, key=lambda each: each.latency):
        contract = each.cost.case.contract
        if contract.precision in {"int8", "fp32", "fp16"}:
            group = groups.setdefault((contract.model, each.cost.backend), {})
            group.setdefault(contract.precision == "int8", each)
    return [
        (group[True], group[False])
        for group in groups.values()
        if len(group) == 2 and group[True].latency > _SLOWER * group[False].latency
    ]
