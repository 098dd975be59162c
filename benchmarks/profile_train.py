"""Where a training step's time goes on a CPU: ``python benchmarks/profile_train.py [NETWORK] [--batch 64]``.

oneDNN, which computes TensorFlow's convolutions, says of each call how long it took (``ONEDNN_VERBOSE``). The sums over
the second epoch are given as shares of that epoch's time; the rest is TensorFlow's own operations, the augmentation and
the loop. On one thread, so that the sums are the time that passed.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

MARK = "epoch:"


def train(network: str, batch: int, images: int) -> None:
    """Two epochs, marked in the output, with the seconds of the second."""
    from edgecnn import zoo
    from edgecnn.data import cifar10
    from edgecnn.training import recipe
    from edgecnn.training.plan import steps_and_batch
    from edgecnn.training.train import train

    whole = cifar10.load().train
    data = whole.subset(whole.name, np.arange(images))
    plan = replace(recipe.RESIDUAL, epochs=2, batch_size=batch)

    def mark(row: dict[str, float]) -> None:
        print(MARK, math.prod(steps_and_batch(plan, images)) / row["images_per_second"], flush=True)

    with tempfile.TemporaryDirectory() as folder:
        train(zoo.find(network), plan, data, None, Path(folder), watch=mark)


def shares(lines: list[str]) -> tuple[float, dict[str, float]]:
    """Seconds of the second epoch, and of each kind of oneDNN call in it."""
    marks = [index for index, line in enumerate(lines) if line.startswith(MARK)]
    seconds = float(lines[marks[1]].removeprefix(MARK))
    kinds: dict[str, float] = defaultdict(float)
    for line in lines[marks[0] : marks[1]]:
        fields = line.split(",")
        if fields[0] == "onednn_verbose" and "exec" in fields:
            at = fields.index("exec")
            kinds[f"{fields[at + 2]}, {fields[at + 4]}".replace("_", " ")] += float(fields[-1]) / 1000
    return seconds, kinds


def main() -> None:
    """Run the training in a process of its own and print the shares as Markdown rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", nargs="?", default="resnet20")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--images", type=int, default=3_200)
    parser.add_argument("--train", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.train:
        train(options.network, options.batch, options.images)
        return
    command = [sys.executable, __file__, options.network, "--train"]
    command += ["--batch", str(options.batch), "--images", str(options.images)]
    one_thread = {"ONEDNN_VERBOSE": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "OMP_NUM_THREADS": "1"} | one_thread
    ended = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True
    )
    seconds, kinds = shares(ended.stdout.splitlines())
    print(f"{options.network}, batches of {options.batch}: {seconds:.2f} s, one thread")
    for kind, spent in sorted(kinds.items(), key=lambda each: -each[1]):
        print(f"| {kind} | {100 * spent / seconds:.1f} % |")
    print(f"| everything else | {100 * (1 - sum(kinds.values()) / seconds):.1f} % |")


if __name__ == "__main__":
    main()
