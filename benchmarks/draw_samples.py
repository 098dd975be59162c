"""Draw the CIFAR-10 images that come with the package. Run once; the files are committed.

    python benchmarks/draw_samples.py

Needs the whole set (``edgecnn data cifar10``). Run again, it writes the same pixels and the same lists.
"""

from __future__ import annotations

import json

import numpy as np
import numpy.typing as npt

from edgecnn.data import cifar10, samples
from edgecnn_export.dataset import Dataset, stratified_indices
from edgecnn_runtime import sheet

SEED = 1000


def main() -> None:
    """Write the two sheets and their lists into the package."""
    whole = cifar10.load()
    _write(samples.TEST, whole.test, stratified_indices(whole.test.labels, 100, SEED))
    # From the part that networks learn from: validation images must not take part in an export either.
    learning, _ = cifar10.split_indices(whole.train.labels)
    drawn = stratified_indices(whole.train.labels[learning], 50, SEED)
    _write(samples.CALIBRATION, whole.train, learning[drawn])


def _write(part: str, dataset: Dataset, positions: npt.NDArray[np.int64]) -> None:
    chosen = dataset.subset(f"cifar10/{part}", positions)
    samples.FOLDER.mkdir(exist_ok=True)
    image_file = samples.FOLDER / f"{part}.webp"
    image_file.write_bytes(sheet.pack(chosen.images))
    listing = {"positions": positions.tolist(), "labels": chosen.labels.tolist()}
    image_file.with_suffix(".json").write_text(json.dumps(listing) + "\n")
    print(f"{image_file}: {len(chosen)} images, {image_file.stat().st_size} bytes, {chosen.fingerprint}")


if __name__ == "__main__":
    main()
