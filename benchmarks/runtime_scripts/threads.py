"""Threads or processes: ``threads.py FOLDER MODEL``, milliseconds a picture.

One worker does all pictures; then two do a half each, which is the best that any way of dividing them could give.
"""

import multiprocessing
import sys
import threading
import time
from pathlib import Path

from edgecnn_runtime.classifier import Classifier

paths = sorted(Path(sys.argv[1]).iterdir())


def classify(part: list[Path]) -> None:
    """Classify some of the pictures."""
    classifier = Classifier.open(sys.argv[2], threads=1)
    for path in part:
        classifier.classify(path)


def timed(worker: type[threading.Thread] | type[multiprocessing.Process], workers: int) -> float:
    """Milliseconds a picture."""
    begun = time.perf_counter()
    crew = [worker(target=classify, args=(paths[index::workers],)) for index in range(workers)]
    for each in crew:
        each.start()
    for each in crew:
        each.join()
    return 1000 * (time.perf_counter() - begun) / len(paths)


for _ in range(5):
    times = timed(threading.Thread, 1), timed(threading.Thread, 2), timed(multiprocessing.Process, 2)
    print(" ".join(f"{each:.3f}" for each in times))
