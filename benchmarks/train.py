"""Training speed against plain Keras, in turn and in one run: ``python benchmarks/train.py``.

Plain Keras is the lesson's own code: ``model.fit`` on float arrays, batch 32, in TensorFlow as it comes. Ours is
``edgecnn train --recipe lesson``: the same network, batch size, optimizer and number of images. Each round starts both
in fresh processes, one after the other; a first epoch warms up and the second is timed, without validation.
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

IMAGES = {"baseline": 50_000, "deeper": 4_800, "resnet8": 6_400, "resnet20": 3_200}
BATCH = 32


def plain(network: str, images: int) -> float:
    """Images/s of plain Keras."""
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras

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
    model.fit(pixels, labels, batch_size=BATCH, verbose=0)
    begun = time.perf_counter()
    model.fit(pixels, labels, batch_size=BATCH, verbose=0)
    return images / (time.perf_counter() - begun)


def ours(network: str, images: int) -> float:
    """Images/s of edgecnn."""
    from edgecnn import zoo
    from edgecnn.data import cifar10
    from edgecnn.training import recipe
    from edgecnn.training.train import train

    whole = cifar10.load().train
    data = replace(whole, images=whole.images[:images], labels=whole.labels[:images])
    with tempfile.TemporaryDirectory() as folder:
        trained = train(zoo.find(network), replace(recipe.LESSON, epochs=2), data, None, Path(folder))
    return trained.history[-1]["images_per_second"]


def measure(which: str, network: str, images: int) -> float:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--one", which, network, "--images", str(images)]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return float(ended.stdout.split()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", nargs="+", default=list(IMAGES))
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--images", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        which, network = options.one
        print((plain if which == "plain" else ours)(network, options.images))
        return
    for network in options.networks:
        pairs = [
            (measure("plain", network, IMAGES[network]), measure("ours", network, IMAGES[network]))
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
