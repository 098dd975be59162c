"""Training speed against plain Keras, in turn and in one run: ``python benchmarks/train.py``.

Plain Keras is the lesson's own code: ``model.fit`` on float arrays, batch 32, in TensorFlow as it comes. Ours is
``edgecnn train --recipe lesson``: the same network, batch size, optimizer and number of images. Each round starts both
in fresh processes, one after the other; a first epoch warms up and the second is timed, without validation.

On a GPU, with all images and both in bfloat16:
``KERAS_BACKEND=jax python benchmarks/train.py --networks resnet20 --batch 512 --images 50000 --mixed-precision``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

IMAGES = {"baseline": 50_000, "deeper": 4_800, "resnet8": 6_400, "resnet20": 3_200}


def plain(network: str, images: int, batch: int, mixed_precision: bool) -> float:
    """Images/s of plain Keras."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    import keras

    if mixed_precision:
        keras.config.set_dtype_policy("mixed_bfloat16")

    from edgecnn import zoo
    from edgecnn.data import cifar10
    from edgecnn.zoo.lesson import SOURCE

    train = cifar10.load().train
    pixels = train.images[:images].astype("float32")
    labels = keras.utils.to_categorical(train.labels[:images], 10)
    known = zoo.find(network)
    model = known.build(10)
    if known.source == SOURCE:  # the lesson scales the pixels beforehand
        pixels /= 255
        model = keras.Sequential([keras.Input((32, 32, 3)), *model.layers[2:]])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(pixels, labels, batch_size=batch, verbose=0)
    begun = time.perf_counter()
    model.fit(pixels, labels, batch_size=batch, verbose=0)
    return images / (time.perf_counter() - begun)


def ours(network: str, images: int, batch: int, mixed_precision: bool) -> float:
    """Images/s of edgecnn."""
    from edgecnn import zoo
    from edgecnn.data import cifar10
    from edgecnn.training import recipe
    from edgecnn.training.train import train

    whole = cifar10.load().train
    data = whole.subset(whole.name, np.arange(images))
    with tempfile.TemporaryDirectory() as folder:
        plan = replace(recipe.LESSON, epochs=2, batch_size=batch, mixed_precision=mixed_precision)
        trained = train(zoo.find(network), plan, data, None, Path(folder))
    return trained.history[-1]["images_per_second"]


def measure(which: str, network: str, images: int, batch: int, mixed_precision: bool) -> float:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--one", which, network, "--images", str(images), "--batch", str(batch)]
    command += ["--mixed-precision"] * mixed_precision
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return float(ended.stdout.split()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=list(IMAGES))
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--images", type=int, help="of an epoch; few enough for a CPU without it")
    parser.add_argument("--mixed-precision", action="store_true", help="both in bfloat16")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    how = options.batch, options.mixed_precision
    if options.one:
        which, network = options.one
        print((plain if which == "plain" else ours)(network, options.images, *how))
        return
    for network in options.networks:
        images = options.images or IMAGES[network]
        pairs = [
            (measure("plain", network, images, *how), measure("ours", network, images, *how))
            for _ in range(options.rounds)
        ]
        ratios = [b / a for a, b in pairs]
        print(
            f"{network}: plain Keras {statistics.median(a for a, _ in pairs):,.0f} images/s, "
            f"edgecnn {statistics.median(b for _, b in pairs):,.0f} images/s, ratio "
            f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, {options.rounds} rounds)",
            flush=True,
        )


if __name__ == "__main__":
    main()
