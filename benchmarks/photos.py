"""How fast photographs are decoded, and read again: ``python benchmarks/photos.py FOLDER``.

Without a folder, the images that come with the package are written out as JPEGs of 500 x 375 pixels, a common size of
ImageNet's. Each round reads every picture below the folder with one thread and with two into a cache of its own, and
then the whole cache again as a second run does, in a random order and 32 pictures at a time as training reads them.
The processor time of a picture is what a core alone with it would take, however busy the machine is.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from edgecnn.data import photos_cache, samples
from edgecnn_export.dataset import Images
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.sources.folder import pictures

BATCH = 32


def write_samples(folder: Path) -> None:
    """Write the bundled test images, enlarged, as JPEGs."""
    for index, image in enumerate(samples.test().images):
        Image.fromarray(image).resize((500, 375), Image.Resampling.BICUBIC).save(folder / f"{index}.jpg", quality=90)


def rates(paths: list[Path], spec: InputSpec, cache: Path) -> dict[str, tuple[float, float]]:
    """Images/s, and milliseconds of processor time an image, of each way in one round."""
    os.environ["EDGECNN_DATA"] = str(cache)

    def timed(work: Callable[[], object]) -> tuple[float, float]:
        begun, used = time.perf_counter(), time.process_time()
        work()
        return len(paths) / (time.perf_counter() - begun), 1000 * (time.process_time() - used) / len(paths)

    def read(workers: int) -> Images:
        return photos_cache.read(paths, spec, f"{workers} threads", print, lambda done, total: None, workers)[0]

    def again() -> None:
        images = read(2)
        order = np.random.default_rng(0).permutation(len(images))
        for start in range(0, len(order), BATCH):
            images[order[start : start + BATCH]]

    return {
        "1 thread": timed(lambda: read(1)),
        "2 threads": timed(lambda: read(2)),
        "from the cache": timed(again),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary, "samples")
        if not options.folder:
            folder.mkdir()
            write_samples(folder)
        paths = [Path(path) for path in pictures(folder)]
        rounds = [
            rates(paths, InputSpec(options.size, options.size), Path(temporary, f"{number}"))
            for number in range(options.rounds)
        ]
    print(f"{len(paths):,} pictures to {options.size} x {options.size}, {os.cpu_count()} cores; images/s, median:")
    for way in rounds[0]:
        values, used = zip(*(each[way] for each in rounds), strict=True)
        print(
            f"  {way}: {statistics.median(values):,.0f} ({min(values):,.0f} to {max(values):,.0f}); "
            f"processor time {statistics.median(used):.2f} ms an image"
        )


if __name__ == "__main__":
    main()
