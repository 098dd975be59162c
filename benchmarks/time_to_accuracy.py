"""Seconds from random weights to a trained network: ``python benchmarks/time_to_accuracy.py [--target 94]``.

For a GPU: ``KERAS_BACKEND=jax python benchmarks/time_to_accuracy.py --mixed-precision``. Trains on all 50,000 images
with each seed, every run whole, and judges it once, at its end, on the test images, each seen once and as it is. The
seconds are those of the training steps. Compilation is given by itself: what the first epoch of windows, and the first
of whole images, takes beyond the median of the others of its kind. Checkpoints are left out, as are the images' way to
the device.
"""

from __future__ import annotations

import argparse
import math
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np


def main() -> None:
    """Train with each seed and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--network", default="edge-l")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--lr", type=float, default=2e-2)
    parser.add_argument("--images", type=int, default=50_000, help="fewer only to try the script")
    parser.add_argument("--mixed-precision", action="store_true", help="in bfloat16")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--target", type=float, default=94.0, help="per cent of the test images")
    options = parser.parse_args()
    if options.epochs < 4 or options.images < options.batch:
        parser.error("--epochs must be at least 4, for the first of each kind compiles, and --images at least --batch")

    from edgecnn.training import keras_backend

    chosen = keras_backend.choose()

    from edgecnn import zoo
    from edgecnn.data import cifar10
    from edgecnn.metrics import measure
    from edgecnn.training import recipe
    from edgecnn.training.plan import steps_and_batch
    from edgecnn.training.train import train
    from edgecnn_export.reference import reference_scores

    data = cifar10.load()
    learnt = data.train.subset(data.train.name, np.arange(options.images))
    plan = replace(
        recipe.EDGE,
        epochs=options.epochs,
        batch_size=options.batch,
        learning_rate=options.lr,
        mixed_precision=options.mixed_precision,
        validation="none",
    )
    print(f"{options.network} on {keras_backend.describe(chosen)}")
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            trained = train(
                zoo.find(options.network), replace(plan, seed=seed), learnt, None, Path(folder), watch=lambda row: None
            )
        took = [math.prod(steps_and_batch(plan, len(learnt))) / row["images_per_second"] for row in trained.history]
        kinds = [kind for kind in (took[: plan.crop_epochs], took[plan.crop_epochs :]) if kind]
        epochs = [statistics.median(kind[1:]) for kind in kinds]
        training = sum(len(kind) * epoch for kind, epoch in zip(kinds, epochs, strict=True))
        accuracy = 100 * measure(data.test.labels, reference_scores(trained.model, data.test)).accuracy
        print(
            f"seed {seed}: {accuracy:.2f} %{'' if accuracy >= options.target else f', below {options.target:g}'}; "
            f"{training:.1f} s of training, {' and '.join(f'{epoch:.2f}' for epoch in epochs)} s an epoch; "
            f"compilation {sum(took) - training:.1f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
