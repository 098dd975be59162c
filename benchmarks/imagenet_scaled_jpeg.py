"""What decoding large JPEGs at a scale gains and costs: ``python benchmarks/imagenet_scaled_jpeg.py FOLDER MODEL``.

FOLDER holds real photographs; MODEL is an exported ImageNet network. Each photograph is enlarged to 12 megapixels and
written as a JPEG, and then decoded for the network at full size and at a scale, in turn. The top labels are compared.
Enlarged photographs have little detail for their size, and JPEGs of more detail take longer to read whatever becomes of
it; so the speed is measured a second time on photographs side by side at their own size, 12 megapixels of them.

``--folders`` measures instead how long a whole folder of each takes: by hand, which is a loop on one thread that
decodes at full size, and with edgecnn's two workers, in turn, in processes of their own. MODEL should be a fast one
there, or its own time is what is measured.
"""

from __future__ import annotations

import argparse
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from PIL import Image

from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.image import Pixels, fitted, load, pixels
from edgecnn_runtime.sources.folder import pictures

SIDE = 3464  # squared, 12 megapixels
QUALITY = 90
SHEETS = 15
FOLDER = 30
ROUNDS = 5
SCRIPTS = Path(__file__).with_name("runtime_scripts")


def enlarged(path: Path) -> bytes:
    """A photograph of 12 megapixels, as a JPEG."""
    with Image.open(path) as image:
        return jpeg(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BICUBIC))


def side_by_side(paths: list[Path]) -> Iterator[bytes]:
    """Photographs at their own size, as many as fill 12 megapixels, as JPEGs."""
    for start in range(0, min(len(paths), 20 * SHEETS), 20):
        yield sheet(paths[start : start + 20])


def sheet(paths: list[Path]) -> bytes:
    """One of them."""
    image = Image.new("RGB", (SIDE, SIDE))
    tiles = [load(path) for path in paths]
    step = min(min(tile.size) for tile in tiles)
    corners = [(x, y) for y in range(0, SIDE, step) for x in range(0, SIDE, step)]
    for number, corner in enumerate(corners):
        image.paste(tiles[number % len(tiles)], corner)
    return jpeg(image)


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


def row(name: str, megabytes: float, unit: str, pairs: list[tuple[float, float]]) -> str:
    """A line of a table: medians, ratio and its range."""
    slower, faster = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratios = [a / b for a, b in pairs]
    return (
        f"| {name} | {megabytes:.1f} MB | {slower:.1f} {unit} | {faster:.1f} {unit} | "
        f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) |"
    )


def write(folder: Path, files: Iterable[bytes]) -> float:
    """Fill a folder with the files, over and over; megabytes a file."""
    folder.mkdir()
    for number, data in enumerate(islice(cycle(files), FOLDER)):
        (folder / f"{number:04}.jpg").write_bytes(data)
    return sum(path.stat().st_size for path in folder.iterdir()) / FOLDER / 1e6


def seconds(name: str, *arguments: str | Path) -> float:
    """What one of the scripts takes."""
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - begun


def folders(paths: list[Path], model: Path) -> None:
    """Print how long a folder takes, by hand and with edgecnn."""
    print(f"| {FOLDER} JPEGs | size | by hand | edgecnn | times faster (range) |\n|---|---:|---:|---:|---:|")
    kinds = {"enlarged": map(enlarged, paths[:FOLDER]), "side by side": side_by_side(paths)}
    for name, files in kinds.items():
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch) / "pictures"
            megabytes = write(folder, files)
            pairs = [
                (seconds("folder_by_hand.py", folder, model), seconds("folder_by_edgecnn.py", folder, model, "2"))
                for _ in range(ROUNDS)
            ]
        print(row(f"photographs, {name}", megabytes, "s", pairs), flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("model", type=Path)
    parser.add_argument("--folders", action="store_true", help="measure whole folders")
    options = parser.parse_args()
    paths = sorted(map(Path, pictures(options.folder)))
    if options.folders:
        folders(paths, options.model)
        return
    classifier = Classifier.open(options.model)
    spec = classifier.contract.input

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
    print(row("photographs, enlarged", megabytes, "ms", pairs), flush=True)
    megabytes, pairs, _ = both(side_by_side(paths))
    print(row("photographs, side by side", megabytes, "ms", pairs))
    print(f"\nthe top label is equal on {equal} of {len(paths)} photographs, {equal / len(paths):.2%}")


if __name__ == "__main__":
    main()
