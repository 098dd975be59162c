"""What it costs to convert a network of 138 million parameters: ``python benchmarks/vgg16_cost.py``.

Each conversion of VGG16 runs in a process of its own: wall-clock seconds of the conversion, peak memory of the whole
process (Keras and the model among it) and size of the model. Ends with status 1 if one is above its bound.

``--weights`` takes a file as ``edgecnn export vgg16`` does (``make_vgg16_weights.py`` writes one); without it the
weights are random. ``--pictures`` takes the folder to calibrate with, of which half are used, 100 at most; without it
CIFAR-10's bundled images are enlarged.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from PIL import Image

from edgecnn import zoo
from edgecnn.data import imagenet, samples
from edgecnn.training import keras_backend
from edgecnn.zoo import weights as trained_weights
from edgecnn_export import calibration as pictures
from edgecnn_export import onnx, tflite
from edgecnn_export.dataset import Images
from edgecnn_export.export import CASES
from edgecnn_runtime import memory

# Highest seconds, gigabytes and megabytes.
BOUNDS = {("onnx", "fp32"): (30, 4, 600), ("tflite", "int8"): (180, 9, 140), ("onnx", "int8"): (120, 5, 140)}
ANY = (float("inf"), 10, 600)


def calibration_images(folder: Path | None) -> Images:
    """Pictures of 224 x 224."""
    if folder:
        return pictures.halves(folder, imagenet.input_spec(224, 224), imagenet.labels())[0].images
    small = samples.calibration().images[: pictures.MOST_LARGE]
    return np.stack([np.asarray(Image.fromarray(image).resize((224, 224))) for image in small])


def convert(form: str, precision: str, weights: Path | None, folder: Path | None) -> dict[str, float]:
    """Seconds, gigabytes and megabytes of one conversion, in this process."""
    keras_backend.choose_tensorflow("this benchmark")
    network = zoo.find("vgg16")
    model = network.build(network.classes)
    if weights:
        trained_weights.load(model, network, weights)
    images = calibration_images(folder) if precision == "int8" else None
    begun = time.perf_counter()
    converted = (tflite if form == "tflite" else onnx).convert(model, precision, images)
    seconds = time.perf_counter() - begun
    return {"s": seconds, "GB": memory.peak() / 1e9, "MB": len(converted) / 1e6}


def main() -> int:
    """Measure and print a table; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path)
    parser.add_argument("--pictures", type=Path)
    parser.add_argument("--only", nargs=2, metavar=("FORMAT", "PRECISION"), help="this one, in this process")
    options = parser.parse_args()
    if options.only:
        form, precision = options.only
        print(json.dumps(convert(form, precision, options.weights, options.pictures)))
        return 0
    print("| format | precision | seconds | at most | peak memory, GB | at most | size, MB |")
    print("|---|---|---|---|---|---|---|")
    failed = False
    for form, precision in CASES:
        command = [sys.executable, __file__, *sys.argv[1:], "--only", form, precision]
        ended = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        cost = json.loads(ended.stdout.splitlines()[-1])
        bounds = BOUNDS.get((form, precision), ANY)
        failed |= any(value > bound for value, bound in zip(cost.values(), bounds, strict=True))
        print(
            f"| {form} | {precision} | {cost['s']:.0f} | {'' if bounds is ANY else bounds[0]} | {cost['GB']:.2f} | "
            f"{bounds[1]} | {cost['MB']:.1f} |",
            flush=True,
        )
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
