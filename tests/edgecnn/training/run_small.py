"""The ``edgecnn`` command with the package's own images in the place of CIFAR-10, ready to be interrupted any time.

The backend that does not train is as if it were not installed.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder
from typing import Any

from edgecnn.cli.main import run
from edgecnn.data import cifar10, samples
from edgecnn.data.cifar10 import Cifar10
from edgecnn.training import learner

OTHER = {"tensorflow": "jax", "jax": "tensorflow"}[os.environ["KERAS_BACKEND"]]


class WithoutTheOther(PathFinder):
    """Finds every module but one."""

    @classmethod
    def find_spec(cls, fullname: str, *arguments: Any) -> Any:
        return None if fullname == OTHER else super().find_spec(fullname, *arguments)


if __name__ == "__main__":
    sys.meta_path[sys.meta_path.index(PathFinder)] = WithoutTheOther
    cifar10.load = lambda folder=None: Cifar10(samples.calibration(), samples.test())
    learner._IMAGES_PER_CALL = 4
    sys.exit(run(sys.argv[1:]))
