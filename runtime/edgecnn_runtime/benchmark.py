"""What model files cost on this machine: each with each interpreter and number of threads, in turn, round by round.

Every measurement has a process of its own. The rounds go through all of them, so that what else the machine does hits
all alike.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from edgecnn_runtime import container, own_process
from edgecnn_runtime.backends import LIBRARIES, choose, installed
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.errors import BackendError, EdgeCNNError, UsageError
from edgecnn_runtime.wording import counted

_LIMIT = 600.0
"""Seconds for one measurement: hundreds of times what a large network takes."""


@dataclass(frozen=True)
class Case:
    """What is measured.

    Attributes:
        file: of the model.
        contract: what the file promises.
        size: of the model in it, in bytes, without the contract.
        interpreter: a key of :data:`edgecnn_runtime.backends.LIBRARIES`.
        threads: how many compute.
    """

    file: Path
    contract: Contract
    size: int
    interpreter: str
    threads: int

    @property
    def name(self) -> str:
        """The case in words."""
        return f"{self.file} in {self.interpreter}, {counted(self.threads, 'thread')}"


@dataclass(frozen=True)
class Round:
    """What one process measured; times in milliseconds, the others as in :class:`Cost`."""

    backend: str
    start_ms: float
    first_ms: float
    latencies_ms: list[float]
    images_per_second: float
    peak_memory: int


@dataclass(frozen=True)
class Cost:
    """What a case costs, over all rounds.

    Attributes:
        case: what was measured.
        backend: the interpreter and its version.
        start_ms: median milliseconds from the start of the process until the model is loaded.
        first_ms: median milliseconds of the first inference after it.
        median_ms: of an inference with one image, without decoding it.
        p95_ms: 95 of 100 such inferences were as fast.
        images_per_second: median, of calls with 16 images.
        peak_memory: largest number of bytes that the process took, with one image at a time.
    """

    case: Case
    backend: str
    start_ms: float
    first_ms: float
    median_ms: float
    p95_ms: float
    images_per_second: float
    peak_memory: int


def cases(file: Path, interpreters: Sequence[str], threads: Sequence[int]) -> list[Case]:
    """What there is to measure of a file.

    Args:
        file: that ``edgecnn export`` wrote.
        interpreters: their names; all that are installed and run such files if there are none.
        threads: numbers of threads, each at least 1.

    Raises:
        ModelFileError: the file is missing, damaged, or was not written by edgecnn.
        BackendError: no interpreter for it is installed.
        UsageError: there is no interpreter of that name, or none of them runs the file.
    """
    contract, data = container.read(file)
    size = container.parse(data)[1]
    try:
        names = _interpreters(contract.format, interpreters)
    except EdgeCNNError as problem:
        raise type(problem)(f"{file}: {problem}") from None
    return [Case(file, contract, size, name, count) for name in names for count in dict.fromkeys(threads)]


def _interpreters(model_format: str, wanted: Sequence[str]) -> list[str]:
    for name in wanted:
        if name not in LIBRARIES:
            raise UsageError(f"there is no backend {name!r}; choose from {', '.join(LIBRARIES)}")
    if not wanted:
        return installed(model_format) or [choose(model_format)]
    able = [name for name in dict.fromkeys(wanted) if LIBRARIES[name].format == model_format]
    return [choose(model_format, name) for name in able or wanted]


def measure(
    everything: Sequence[Case],
    rounds: int,
    progress: Callable[[int, int], None],
    failed: Callable[[Case, BackendError], None],
) -> list[Cost]:
    """Measure all cases in turn, ``rounds`` times, and give what is left of them in their order.

    Args:
        everything: the cases.
        rounds: how many times, at least 1.
        progress: told how many measurements of how many are done.
        failed: told of a case that an interpreter cannot run or crashes on, and why; it is given up.
    """
    results: dict[int, list[Round]] = {index: [] for index in range(len(everything))}
    for number in range(rounds):
        for place, index in enumerate(list(results)):
            progress(number * len(results) + place, rounds * len(results))
            try:
                results[index].append(_run(everything[index]))
            except BackendError as problem:
                failed(everything[index], problem)
                del results[index]
    progress(1, 1)
    return [_cost(everything[index], done) for index, done in results.items()]


def _run(case: Case) -> Round:
    words = (str(case.file), case.interpreter, str(case.threads), str(time.monotonic()))
    try:
        return Round(**own_process.ask("edgecnn_runtime.measure", *words, timeout=_LIMIT))
    except BackendError as problem:
        raise BackendError(f"{case.name}: {str(problem).removeprefix(f'{case.file}: ')}") from None


def _cost(case: Case, rounds: list[Round]) -> Cost:
    times = sorted(time for each in rounds for time in each.latencies_ms)
    return Cost(
        case,
        backend=rounds[0].backend,
        start_ms=median(each.start_ms for each in rounds),
        first_ms=median(each.first_ms for each in rounds),
        median_ms=median(times),
        p95_ms=times[95 * (len(times) - 1) // 100],
        images_per_second=median(each.images_per_second for each in rounds),
        peak_memory=max(each.peak_memory for each in rounds),
    )
