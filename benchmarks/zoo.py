"""Size, cost and parity of every export: ``python benchmarks/zoo.py [NETWORK...] [--photos DIR] [--images 50]``.

Prints one Markdown row a network, format and precision. A network with a trained model in ``models/`` is that one;
any other has seeded random weights (``edgecnn.zoo.seeded``) and says so: its size, cost and parity are real, its
accuracy is nothing. Each conversion runs in a process of its own, which loads the Keras file, converts, and reports the
seconds of the conversion and the peak memory of the whole process. Parity is the worst of the installed interpreters on
images that did not calibrate; with random weights, where the best label is often nearly a tie, the correlation of the
probabilities says more than the agreement. The images are CIFAR-10's, or with ``--photos`` every second picture of a
folder for ImageNet networks.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).parents[1]
NETWORKS = [
    "lenet5",
    "alexnet",
    "vgg16",
    "googlenet",
    "resnet8",
    "resnet20",
    "resnet56",
    "mobilenet_v2",
    "efficientnet_v2_b0",
]
HEADER = """\
| network | parameters | weights | file | MB | export s | peak MiB | agreement | largest difference | correlation |
|---|--:|---|---|--:|--:|--:|--:|--:|--:|"""
CASES = [("tflite", each) for each in ("fp32", "fp16", "dynamic", "int8")] + [("onnx", "fp32"), ("onnx", "int8")]

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Prepared:
    """A network ready to be converted, again and again."""

    source: Path
    labels: tuple[str, ...]
    weights: str
    parameters: int
    calibration: Path
    images: Pixels
    expected: npt.NDArray[np.float32]


def prepare(name: str, photos: Path | None, count: int, folder: Path) -> Prepared:
    """The Keras file of a network, its images, and its answers to them."""
    from edgecnn.zoo import find
    from edgecnn.zoo.seeded import seeded
    from edgecnn_export import keras_file
    from edgecnn_export.keras_file import About
    from edgecnn_export.reference import predict
    from edgecnn_runtime.contract import InputSpec

    network = find(name)
    calibration, images = pictures(network.height, network.width, photos)
    images = images[:count]
    source = ROOT / "models" / f"{name}.keras"
    if trained := source.exists():
        model, about = keras_file.load(source)
    else:
        model = seeded(network, network.classes, images)
        labels = tuple(map(str, range(network.classes)))
        about = About(name, labels, InputSpec(network.height, network.width))
        source = folder / f"{name}.keras"
        keras_file.save(source, model, about)
    np.save(folder / "calibration.npy", calibration[: 2 * count])
    return Prepared(
        source,
        about.labels,
        "trained" if trained else "random",
        model.count_params(),
        folder / "calibration.npy",
        images,
        predict(model, images),
    )


def pictures(height: int, width: int, photos: Path | None) -> tuple[Pixels, Pixels]:
    """Images to calibrate with, and others to compare on, both of the network's size."""
    from edgecnn.data import samples
    from edgecnn_export import calibration
    from edgecnn_runtime.contract import InputSpec

    if photos and height > 32:
        images = calibration.from_folder(photos, InputSpec(height, width)).images
        return images[::2], images[1::2]
    return repeated(samples.calibration().images, height, width), repeated(samples.test().images, height, width)


def repeated(images: Pixels, height: int, width: int) -> Pixels:
    """The first 100 of CIFAR-10's small images side by side, as often as they fit; enlarged, they had no detail."""
    return np.tile(images[:100], (1, -(-height // 32), -(-width // 32), 1))[:, :height, :width]


def convert(source: str, form: str, precision: str, calibration: str, target: str) -> None:
    """Convert one file, in this process, and print what it took."""
    from edgecnn_export import keras_file, onnx, tflite
    from edgecnn_runtime import memory

    model, _ = keras_file.load(Path(source))
    images = np.load(calibration)
    begun = time.perf_counter()
    payload = (tflite if form == "tflite" else onnx).convert(model, precision, images)
    seconds = time.perf_counter() - begun
    peak = memory.peak() / 2**20
    Path(target).write_bytes(payload)
    print(json.dumps({"seconds": seconds, "peak": peak}))


def measure(name: str, prepared: Prepared, form: str, precision: str, folder: Path, keep: Path | None) -> str:
    """One row of the table."""
    from edgecnn_export.scoring import score_everywhere
    from edgecnn_runtime import container
    from edgecnn_runtime.contract import Contract, InputSpec

    target = folder / f"{name}-{precision}.{form}"
    words = [str(prepared.source), form, precision, str(prepared.calibration), str(target)]
    command = [sys.executable, __file__, "--convert", *words]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    start = f"| {name} | {prepared.parameters:,} | {prepared.weights} | {form} {precision} |"
    if ended.returncode:
        reason = ended.stderr.strip().splitlines()[-1:] or [f"exit status {ended.returncode}"]
        return f"{start} {reason[0]} | | | | | |"
    cost = json.loads(ended.stdout.splitlines()[-1])
    payload = target.read_bytes()
    _, height, width, _ = prepared.images.shape
    target.write_bytes(
        container.embed(payload, Contract(name, form, precision, prepared.labels, InputSpec(height, width)))
    )
    scores = [each.probabilities for each in score_everywhere(target, form, prepared.images)]
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
        shutil.copy(target, keep)
    target.unlink()
    agreement = min(float((each.argmax(-1) == prepared.expected.argmax(-1)).mean()) for each in scores)
    difference = max(float(np.abs(each - prepared.expected).max()) for each in scores)
    alike = min(correlation(each, prepared.expected) for each in scores)
    return (
        f"{start} {len(payload) / 1e6:,.3f} | {cost['seconds']:.1f} | {cost['peak']:,.0f} | "
        f"{agreement:.1%} | {difference:.1e} | {alike:.4f} |"
    )


def correlation(got: npt.NDArray[np.float32], expected: npt.NDArray[np.float32]) -> float:
    """Of the probabilities' differences from each class's mean: 0 for another network, 1 for the same."""
    a, b = ((each - each.mean(0)).ravel() for each in (got, expected))
    return float(np.corrcoef(a, b)[0, 1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=NETWORKS)
    parser.add_argument("--photos", type=Path, help="folder of pictures for the ImageNet networks")
    parser.add_argument("--images", type=int, default=50, help="how many to compare on; twice as many calibrate")
    parser.add_argument("--keep", type=Path, help="folder for the files; without it none is kept")
    parser.add_argument("--convert", nargs=5, help=argparse.SUPPRESS)
    options = parser.parse_args()
    from edgecnn.training import keras_backend

    keras_backend.choose_tensorflow("exporting")
    if options.convert:
        convert(*options.convert)
        return
    print(HEADER, flush=True)
    for name in options.networks:
        with TemporaryDirectory() as folder:
            prepared = prepare(name, options.photos, options.images, Path(folder))
            for form, precision in CASES:
                print(measure(name, prepared, form, precision, Path(folder), options.keep), flush=True)


if __name__ == "__main__":
    main()
