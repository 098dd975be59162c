"""``edgecnn benchmark``: what do model files cost on this machine, and which are worth it?"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgecnn import __version__
from edgecnn.cli.console import decoding, measuring, printable, say
from edgecnn_runtime.errors import DataError, EdgeCNNError, UsageError

if TYPE_CHECKING:
    from edgecnn.tradeoffs import Choice
    from edgecnn_runtime.machine import Machine

_FIGURES = (".png", ".svg", ".pdf")


def benchmark(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Exported .tflite and .onnx files.")],
    backend: Annotated[
        list[str] | None,
        typer.Option(
            help="litert, tflite-runtime or onnxruntime; may be repeated.", show_default="all that are installed"
        ),
    ] = None,
    threads: Annotated[
        list[int] | None,
        typer.Option(min=1, help="How many threads compute; may be repeated.", show_default="1 and the cores"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Images to measure the accuracy on: cifar10, its data folder, or photographs, of which the test part.",
            show_default="no accuracy",
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How many times each is measured.")] = 5,
    plot: Annotated[
        Path | None, typer.Option(metavar="PICTURE", help="Draw accuracy, latency and size: .png, .svg or .pdf.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Measure what model files cost on this machine: size, start, latency, throughput and memory.

    Each file runs in each interpreter with each number of threads, in a process of its own, all in turn and round by
    round. With --data the accuracy is measured too. The best trade-offs are named, and int8 files that are slower here
    than float ones. Ends with status 1 when a file could not be measured.

    Example: edgecnn benchmark flowers-*.tflite --threads 1 --threads 4 --data photos/ --plot flowers.png
    """
    from edgecnn.tradeoffs import best, slower_in_int8
    from edgecnn_runtime.machine import this_machine

    if plot:
        _check_figure(plot)
    machine = this_machine()
    choices, failed = _measure(files, backend or [], threads or [1, machine.cores], data, rounds)
    if as_json:
        document = {
            "edgecnn": __version__,
            "machine": asdict(machine),
            "rounds": rounds,
            "rows": [_row(each) for each in choices],
            "best": [choices.index(each) for each in best(choices)],
            "int8_slower_than_float": [[choices.index(each) for each in pair] for pair in slower_in_int8(choices)],
        }
        print(json.dumps(document, indent=2))
    elif choices:
        _show(machine, choices, rounds)
    if plot and choices:
        _draw(plot, choices)
    if failed:
        raise typer.Exit(1)


def _measure(
    files: list[Path], backends: list[str], threads: list[int], data: Path | None, rounds: int
) -> tuple[list[Choice], bool]:
    """What could be measured, and whether something could not, which is said."""
    from edgecnn.accuracy import Judge
    from edgecnn.tradeoffs import Choice
    from edgecnn_runtime.benchmark import Case, cases, measure

    judge = None if data is None else Judge(data, say, decoding)
    failed = False

    def fail(problem: object) -> None:
        nonlocal failed
        failed = True
        say(f"error: {problem}")

    everything: list[Case] = []
    for file in dict.fromkeys(files):
        try:
            found = cases(file, backends, threads)
            everything += judge.judged(found, fail) if judge else found
        except UsageError:
            raise
        except EdgeCNNError as problem:
            fail(problem)
    costs = measure(everything, rounds, measuring, fail)
    return [Choice(cost, *(judge.accuracy(cost.case) if judge else ())) for cost in costs], failed


def _show(machine: Machine, choices: list[Choice], rounds: int) -> None:
    from edgecnn.cli.tables import percent, show
    from edgecnn.tradeoffs import best, slower_in_int8
    from edgecnn_runtime.benchmark import counted

    judged = choices[0].accuracy is not None
    print(
        printable(
            f"{machine.processor or machine.architecture}, {counted(machine.cores, 'core')}, Python {machine.python}; "
            f"{counted(rounds, 'round')}"
        )
    )
    rows = (
        (
            printable(str(each.cost.case.file)),
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
        print(printable(line))
    print(f"best trade-offs of {'accuracy' if judged else 'size'} and latency, the fastest first:")
    for line in _front(best(choices)):
        print(printable(line))


def _slower(pairs: list[tuple[Choice, Choice]]) -> Iterator[str]:
    for int8, real in pairs:
        yield (
            f"int8 is slower than float here in {int8.cost.backend}: {int8.cost.case.file} takes {int8.latency:,.3f} "
            f"ms, {real.cost.case.file} {real.latency:,.3f} ms ({int8.latency / real.latency:.2f} times as long)"
        )


def _front(front: list[Choice]) -> Iterator[str]:
    from edgecnn_runtime.benchmark import counted

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


def _row(each: Choice) -> dict[str, Any]:
    cost, case = asdict(each.cost), each.cost.case
    del cost["case"]
    about = {"model": case.contract.model, "format": case.contract.format, "precision": case.contract.precision}
    judged = {"accuracy": each.accuracy, "interval": each.interval}
    return {"file": str(case.file)} | about | {"threads": case.threads, "size": case.size} | cost | judged


def _check_figure(path: Path) -> None:
    from edgecnn.cli.figures import require_matplotlib

    require_matplotlib("--plot")
    if path.suffix.lower() not in _FIGURES:
        raise UsageError(f"{path} is no picture that can be drawn; choose a name in {', '.join(_FIGURES)}")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent} is not a folder; choose another place for --plot")


def _draw(path: Path, choices: list[Choice]) -> None:
    from edgecnn import plots

    try:
        plots.tradeoffs(path, choices)
    except OSError as problem:
        raise DataError(f"{path} cannot be written ({problem.strerror}); choose another --plot") from None
    say(f"saved {path}")
