"""What edgecnn does around an interpreter's ``invoke``: ``calls.py MODEL``, microseconds a call, the shortest of nine.

In turn: ``invoke`` alone, the backend's scores, and a picture of the input size classified.
"""

import sys
import timeit

import numpy as np

from edgecnn_runtime.backends.tflite import TFLiteBackend
from edgecnn_runtime.classifier import Classifier

classifier = Classifier.open(sys.argv[1], "litert", threads=1)
backend, spec = classifier.backend, classifier.contract.input
assert isinstance(backend, TFLiteBackend)
picture = np.zeros((spec.height, spec.width, 3), np.uint8)
batch = picture[np.newaxis]
ways = (backend._interpreter.invoke, lambda: backend.scores(batch), lambda: classifier.classify(picture))
rounds = [[1e6 * timeit.timeit(way, number=300) / 300 for way in ways] for _ in range(9)]
print(*map(min, zip(*rounds, strict=True)))
