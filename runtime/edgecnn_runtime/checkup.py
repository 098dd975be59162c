"""A package tried: does it load? An interpreter tried with a model: does it give the answers seen at export, how fast?

:mod:`edgecnn_runtime.doctor` runs this in processes of their own. What goes wrong is one line on standard error.
"""

from __future__ import annotations

import importlib
import sys
import time
from statistics import median
from typing import Any

from edgecnn_runtime import own_process


def _loads(module: str) -> dict[str, Any]:
    importlib.import_module(module)
    return {}


def _runs(model: str, interpreter: str, seconds: str) -> dict[str, Any]:
    begun = time.perf_counter()
    from edgecnn_runtime.classifier import Classifier
    from edgecnn_runtime.timing import latencies, noise
    from edgecnn_runtime.verify import verify

    classifier = Classifier.open(model, interpreter, threads=1)
    start = time.perf_counter() - begun
    verification = verify(model, interpreter)
    times = latencies(classifier.backend, noise(classifier.contract.input, 16), float(seconds))
    return {
        "version": classifier.backend.name.partition(" ")[2],
        "start_ms": 1000 * start,
        "images_per_second": 1 / median(times.tolist()),
        "pictures": verification.pictures,
        "same": verification.pictures - len(verification.mismatches),
    }


def _reason(problem: BaseException) -> str:
    """What went wrong at first: a library's own words, without our remedy, which is the doctor's business."""
    while problem.__context__ is not None:
        problem = problem.__context__
    return ": ".join((type(problem).__name__, *str(problem).strip().splitlines()[:1]))


if __name__ == "__main__":
    try:
        result = _loads(*sys.argv[1:]) if len(sys.argv) == 2 else _runs(*sys.argv[1:])
    except Exception as problem:  # compiled modules fail in many ways
        sys.exit(_reason(problem))
    own_process.answer(result)
