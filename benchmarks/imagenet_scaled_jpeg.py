"""What decoding large JPEGs at a scale gains and costs: ``python benchmarks/imagenet_scaled_jpeg.py FOLDER MODEL``.

FOLDER holds real photographs; MODEL is an exported ImageNet network. Each photograph is enlarged to 12 megapixels and
written as a JPEG, and then decoded for the network at full size and at a scale, in turn. The top labels are compared.
Enlarged photographs have little detail for their size, and JPEGs of more detail take longer to read whatever becomes of
it; so the speed is measured a second time on photographs side by side at their own size, 12 megapixels of them.
"""

from __future__ import annotations

import argparse
import io
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.image import Pixels, fitted, load, pixels
from edgecnn_runtime.sources.folder import pictures

SIDE = 3464  # squared, 12 megapixels
QUALITY = 90


def enlarged(path: Path) -> bytes:
    """A photograph of 12 megapixels, as a JPEG."""
    with Image.open(path) as image:
        return jpeg(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def side_by_side(paths: list[Path], start: int) -> bytes:
    """Photographs at their own size, until they fill 12 megapixels, as a JPEG."""
    sheet = Image.new("RGB", (SIDE, SIDE))
    tiles = [load(path) for path in paths[start : start + 20]]
    step = min(min(tile.size) for tile in tiles)
    corners = [(x, y) for y in range(0, SIDE, step) for x in range(0, SIDE, step)]
    for number, corner in enumerate(corners):
        sheet.paste(tiles[number % len(tiles)], corner)
    return jpeg(sheet)


def jpeg(image: Image.Image) -> bytes:
    """As a camera writes it."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def timed(way: Callable[[io.BytesIO], Pixels], data: bytes) -> tuple[float, Pixels]:
    """Milliseconds of one decoding, resize included, and its pixels."""
    begun = time.perf_counter()
    result = way(io.BytesIO(data))
    return 1000 * (time.perf_counter() - begun), result


def show(name: str, megabytes: float, pairs: list[tuple[float, float]]) -> None:
    """Print a line: medians, ratio and its range."""
    full, scaled = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = [a / b for a, b in pairs]
    print(
        f"| {name} | {megabytes:.1f} MB | {full:.1f} ms | {scaled:.1f} ms | "
        f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) |",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path)
    options = parser.parse_args()
    classifier = Classifier.open(options.model)
    spec = classifier.contract.input
    paths = sorted(map(Path, pictures(options.folder)))

    def full(file: io.BytesIO) -> Pixels:
        return fitted(load(file), spec)

    def scaled(file: io.BytesIO) -> Pixels:
        return pixels(file, spec)

    def both(files: Iterator[bytes]) -> tuple[float, list[tuple[float, float]], int]:
        """Megabytes a file, times of both ways, and how many top labels are equal."""
        sizes, pairs, equal = [], [], 0
        for data in files:
            (a, first), (b, second) = timed(full, data), timed(scaled, data)
            tops = [classifier.scores([each])[0].argmax() for each in (first, second)]
            sizes.append(len(data) / 1e6)
            pairs.append((a, b))
            equal += int(tops[0] == tops[1])
        return float(np.mean(sizes)), pairs, equal

    print(f"12 megapixels to {spec.width} x {spec.height}\n")
    print("| JPEGs | size | full decoding | scaled | times faster (range) |\n|---|---:|---:|---:|---:|")
    megabytes, pairs, equal = both(map(enlarged, paths))
    show("photographs, enlarged", megabytes, pairs)
    detailed = both(side_by_side(paths, start) for start in range(0, min(len(paths), 300), 20))
    show("photographs, side by side", *detailed[:2])
    print(f"\nthe top label is equal on {equal} of {len(paths)} photographs, {equal / len(paths):.2%}")


if __name__ == "__main__":
    main()
