"""One model in one interpreter, measured from the start of this process; :mod:`edgecnn_runtime.benchmark` starts it."""

from __future__ import annotations

import sys
import time

import numpy as np

from edgecnn_runtime import memory, own_process
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.errors import EdgeCNNError
from edgecnn_runtime.timing import durations, latencies, noise

_IMAGES = 16
_LATENCY, _THROUGHPUT = 0.5, 0.25


def _main(model: str, interpreter: str, threads: str, begun: str) -> None:
    """Answer with the figures of :class:`edgecnn_runtime.benchmark.Round`.

    Args:
        model: path of the file.
        interpreter: its name.
        threads: how many compute.
        begun: when this process was started, by the monotonic clock, which all processes share.
    """
    classifier = Classifier.open(model, interpreter, int(threads))
    start = time.monotonic() - float(begun)
    backend, images = classifier.backend, noise(classifier.contract.input, _IMAGES)
    before = time.perf_counter()
    backend.scores(images[:1])
    first = time.perf_counter() - before
    times = latencies(backend, images, _LATENCY, least=5)
    peak = memory.peak()
    batches = durations(lambda _: backend.scores(images), _THROUGHPUT)
    own_process.answer(
        {
            "backend": backend.name,
            "start_ms": 1000 * start,
            "first_ms": 1000 * first,
            "latencies_ms": (1000 * times).tolist(),
            "images_per_second": _IMAGES / float(np.median(batches)),
            "peak_memory": peak,
        }
    )


if __name__ == "__main__":
    try:
        _main(*sys.argv[1:])
    except EdgeCNNError as problem:
        sys.exit(str(problem))
