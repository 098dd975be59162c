"""Work divided among processes, the results in the order in which it came.

Processes and not threads: a third or more of what a small picture takes is Python's own, in Pillow's opening of a file
and around the interpreter, and there two threads are in each other's way. The processes are forks, so that what is
loaded, the model above all, is there at once and in memory once.
"""

from __future__ import annotations

import multiprocessing
import pickle
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from multiprocessing.connection import Connection, wait
from time import perf_counter
from typing import Any, TypeVar

from edgecnn_runtime.errors import BackendError
from edgecnn_runtime.quiet import unwarned

Thing = TypeVar("Thing")
Result = TypeVar("Result")

_AHEAD = 4
"""Chunks for each worker that are taken from the source and not yet given back, at most."""

_PATIENCE = 0.01
"""Seconds after which a slow source need not fill a chunk."""


def in_order(
    work: Callable[[Thing], Result], things: Iterable[Thing], workers: int, chunk: int
) -> Generator[tuple[Thing, Result], None, None]:
    """Each thing with its result, as ``map`` would give them; both are sent by pickle.

    Leaving early ends the workers at once.

    Args:
        work: done in the workers; what it raises is raised here.
        things: asked for in this process, a few chunks ahead; what they raise is raised here, after the results of
            what they gave before.
        workers: how many processes work.
        chunk: how many things are sent to one of them together, at most.

    Raises:
        BackendError: a worker died, as it does when an interpreter crashes or memory is short; or so many cannot be
            started.
    """
    problems: list[Exception] = []
    source = _until_problem(things, problems)
    waiting: deque[_Chunk] = deque()
    crew: list[_Worker] = []
    try:
        for _ in range(workers):
            crew.append(_hired(work, crew))
        while True:
            for worker in crew:
                if not worker.chunk and len(waiting) < _AHEAD * workers and (taken := _take(source, chunk)):
                    waiting.append(worker.give(taken))
            if not waiting:
                break
            if waiting[0].results is None:
                # What comes back is only read when its turn has come: the worker has its next chunk before that.
                ready = wait([worker.connection for worker in crew if worker.chunk])
                for worker in crew:
                    if worker.connection in ready:
                        worker.collect()
            else:
                yield from waiting.popleft().done()
        if problems:
            raise problems[0]
    finally:
        for worker in crew:
            worker.end()


def _until_problem(things: Iterable[Thing], problems: list[Exception]) -> Iterator[Thing]:
    try:
        yield from things
    except Exception as problem:
        problems.append(problem)


def _take(source: Iterator[Thing], most: int) -> list[Thing]:
    begun, taken = perf_counter(), []
    for thing in source:
        taken.append(thing)
        if len(taken) == most or perf_counter() - begun > _PATIENCE:
            break
    return taken


class _Chunk:
    def __init__(self, things: list[Any]) -> None:
        self.things = things
        self.results: bytes | None = None

    def done(self) -> Iterator[tuple[Any, Any]]:
        results = pickle.loads(self.results or b"")  # noqa: S301 (made by _serve)
        if isinstance(results, Exception):
            raise results
        return zip(self.things, results, strict=True)


def _hired(work: Callable[[Any], Any], crew: list[_Worker]) -> _Worker:
    try:
        return _Worker(work, [each.connection for each in crew])
    except OSError as problem:
        raise BackendError(
            f"process {len(crew) + 1} that is to classify pictures cannot be started ({problem.strerror}); "
            "ask for fewer threads"
        ) from None


class _Worker:
    """A process that does one chunk at a time."""

    def __init__(self, work: Callable[[Any], Any], inherited: list[Connection]) -> None:
        context = multiprocessing.get_context("fork")
        self.connection, theirs = context.Pipe()
        arguments = (work, theirs, [*inherited, self.connection])
        self._process = context.Process(target=_serve, args=arguments, daemon=True)
        # A terminal sends Ctrl-C to all, and the parent ends the others: they are born deaf to it, and stay so.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            # Python 3.12 warns of a fork beside other threads: OpenBLAS's, which are prepared for it.
            with unwarned:
                self._process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        theirs.close()
        self.chunk: _Chunk | None = None

    def give(self, things: list[Any]) -> _Chunk:
        self.chunk = _Chunk(things)
        try:
            self.connection.send(things)
        except OSError:
            raise self._death() from None
        return self.chunk

    def collect(self) -> None:
        try:
            results = self.connection.recv_bytes()
        except (EOFError, OSError):
            raise self._death() from None
        if self.chunk:
            self.chunk.results, self.chunk = results, None

    def _death(self) -> BackendError:
        self._process.join()
        code = self._process.exitcode or 0
        why = signal.strsignal(-code) if code < 0 else f"status {code}"
        return BackendError(f"a process that classifies pictures died ({why}); try one thread, or another interpreter")

    def end(self) -> None:
        self.connection.close()
        self._process.terminate()
        self._process.join()


def _serve(work: Callable[[Any], Any], connection: Connection, inherited: list[Connection]) -> None:
    # As long as anybody holds its other end, a connection never ends, and a worker outlives a parent that is killed.
    for each in inherited:
        each.close()
    try:
        while True:
            things = connection.recv()
            try:
                results: Any = [work(thing) for thing in things]
            except Exception as problem:
                results = problem
            connection.send(results)
    except (EOFError, OSError):
        return
