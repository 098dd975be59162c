"""The ``edgecnn`` command with the package's own images in the place of CIFAR-10, ready to be interrupted any time.

The backend that does not train is as if it were not installed.
"""

from __future__ import annotations

import os
import sys

from edgecnn.cli.main import run
from edgecnn.data import cifar10, samples
from edgecnn.data.cifar10 import Cifar10
from edgecnn.training import train

OTHER = {"tensorflow": "jax", "jax": "tensorflow"}

if __name__ == "__main__":
    sys.modules[OTHER[os.environ["KERAS_BACKEND"]]] = None  # type: ignore[assignment]
    cifar10.load = lambda folder=None: Cifar10(samples.calibration(), samples.test())
    train._IMAGES_PER_CALL = 4
    sys.exit(run(sys.argv[1:]))
