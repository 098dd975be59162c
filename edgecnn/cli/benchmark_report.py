"""What ``edgecnn benchmark`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from edgecnn.cli.console import tell
from edgecnn.cli.tables import percent, show
from edgecnn.tradeoffs import Choice, best, slower_in_int8
from edgecnn_runtime.machine import Machine
from edgecnn_runtime.wording import counted


def show_costs(machine: Machine, choices: list[Choice], rounds: int) -> None:
    """Print a table of what was measured, where int8 does not pay, and the best trade-offs."""
    judged = choices[0].accuracy is not None
    tell(
        f"{machine.processor or machine.architecture}, {counted(machine.cores, 'core')}, Python {machine.python}; "
        f"{counted(rounds, 'round')}"
    )
    rows = (
        (
            str(each.cost.case.file),
            each.cost.backend,
            str(each.cost.case.threads),
            f"{each.cost.case.size / 1000:,.1f}",
            f"{each.cost.start_ms:,.0f}",
            f"{each.cost.first_ms:,.2f}",
            f"{each.cost.median_ms:,.3f}",
            f"{each.cost.p95_ms:,.3f}",
            f"{each.cost.images_per_second:,.0f}",
            f"{each.cost.peak_memory / 1e6:,.1f}",
            *((percent(each.accuracy),) if judged else ()),
        )
        for each in choices
    )
    header = ("file", "interpreter", "threads", "size kB", "start ms", "first ms", "median ms", "95 % ms", "images/s")
    show((*header, "peak MB", *(("accuracy",) if judged else ())), rows, text_columns=2)
    print()
    for line in _slower(slower_in_int8(choices)):
        tell(line)
    print(f"best trade-offs of {'accuracy' if judged else 'size'} and latency, the fastest first:")
    for line in _front(best(choices)):
        tell(line)


def row(each: Choice) -> dict[str, Any]:
    """What was measured of one choice, for JSON."""
    cost, case = asdict(each.cost), each.cost.case
    del cost["case"]
    about = {"model": case.contract.model, "format": case.contract.format, "precision": case.contract.precision}
    judged = {"accuracy": each.accuracy, "interval": each.interval}
    return {"file": str(case.file)} | about | {"threads": case.threads, "size": case.size} | cost | judged


def _slower(pairs: list[tuple[Choice, Choice]]) -> Iterator[str]:
    for int8, real in pairs:
        yield (
            f"int8 is slower than float here in {int8.cost.backend}: {int8.cost.case.file} takes {int8.latency:,.3f} "
            f"ms, {real.cost.case.file} {real.latency:,.3f} ms ({int8.latency / real.latency:.2f} times as long)"
        )


def _front(front: list[Choice]) -> Iterator[str]:
    for number, each in enumerate(front):
        case = each.cost.case
        good = f"{case.size / 1000:,.1f} kB" if each.accuracy is None else f"{each.accuracy:.2%}"
        line = (
            f"  {case.file} in {each.cost.backend}, {counted(case.threads, 'thread')}: {each.latency:,.3f} ms, {good}"
        )
        if number:
            before = front[number - 1]
            gain = f"{100 * (before.regret - each.regret):+.2f} points"
            if each.accuracy is None:
                gain = f"{before.regret / each.regret:.2f} times smaller"
            line += f" ({gain} for {each.latency / before.latency:.2f} times the latency)"
        yield line
