"""Do memory and open files stay as they are while a camera loop runs? A million frames through each interpreter.

    make demo
    python benchmarks/endurance.py [FRAMES [FILE...]]

FILE is an exported model of CIFAR-10, otherwise the bundled ones. The frames are the bundled images, again and again,
as pixels, and every hundredth as a PNG file's bytes, which go through the image decoder. Each interpreter has a process
of its own. Memory is what the process has (VmRSS), after each tenth of the frames.
"""

from __future__ import annotations

import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from edgecnn import models
from edgecnn.data import samples
from edgecnn_runtime.backends import installed
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.image import Pixels

BUNDLED = [str(models.carried(form)) for form in ("tflite", "onnx")]
STEPS = 10
FILE_EVERY = 100


def run(model: str, backend: str, frames: int) -> None:
    """Classify so many frames, and print a row for every tenth of them."""
    classifier = Classifier.open(model, backend, threads=1)
    images = list(samples.test().images)
    files = list(map(encoded, images[:FILE_EVERY]))
    begun, first = time.monotonic(), 0
    for frame in range(1, frames + 1):
        picture = images[frame % len(images)]
        classifier.classify(files[frame // FILE_EVERY % len(files)] if frame % FILE_EVERY == 0 else picture, top=1)
        if frame % (frames // STEPS) == 0:
            first = first or memory()
            print(
                f"| {classifier.backend.name} | {frame:,} | {time.monotonic() - begun:,.0f} | {memory():,} "
                f"| {memory() - first:+,} | {handles()} |",
                flush=True,
            )


def encoded(image: Pixels) -> BytesIO:
    """The image's PNG file."""
    file = BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file


def memory() -> int:
    """What this process has in memory, in KB."""
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def handles() -> int:
    """How many files this process has open, the listing of them not counted."""
    return len(list(Path("/proc/self/fd").iterdir())) - 1


def main(frames: str = "1000000", *files: str) -> None:
    """Start a process for each file in each interpreter."""
    print("| interpreter | frames | seconds | memory, KB | since the first tenth | open files |")
    print("|---|---|---|---|---|---|", flush=True)
    for file in files or BUNDLED:
        for backend in installed(Path(file).suffix[1:]):
            subprocess.run([sys.executable, __file__, "run", file, backend, frames], check=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        run(sys.argv[2], sys.argv[3], int(sys.argv[4]))
    else:
        main(*sys.argv[1:])
