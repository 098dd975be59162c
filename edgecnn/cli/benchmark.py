"""``edgecnn benchmark``: what do model files cost on this machine, and which are worth it?"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn import __version__
from edgecnn.cli.console import decoding, json_text, measuring, say
from edgecnn_runtime.errors import DataError, EdgeCNNError, UsageError

if TYPE_CHECKING:
    from edgecnn.tradeoffs import Choice

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
        typer.Option(
            min=1, max=1024, help="How many threads compute; may be repeated.", show_default="1 and the cores"
        ),
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
    """Measure what model files cost on this machine.

    That is their size, start, latency, throughput and memory. Each file runs in each interpreter with each number of
    threads, in a process of its own, all in turn and round by round. With --data the accuracy is measured too. The best
    trade-offs are named, and int8 files that are slower here than float ones. Ends with status 1 when a file could not
    be measured.

    Example: edgecnn benchmark flowers-*.tflite --threads 1 --threads 4 --data photos/ --plot flowers.png
    """
    from edgecnn.cli.benchmark_report import row, show_costs
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
            "rows": [row(each) for each in choices],
            "best": [choices.index(each) for each in best(choices)],
            "int8_slower_than_float": [[choices.index(each) for each in pair] for pair in slower_in_int8(choices)],
        }
        print(json_text(document, 2))
    elif choices:
        show_costs(machine, choices, rounds)
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
    costs = measure(everything, rounds, measuring, lambda _, problem: fail(problem))
    return [Choice(cost, *(judge.accuracy(cost.case) if judge else ())) for cost in costs], failed


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
