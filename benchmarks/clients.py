"""Exported files in other programs, against our own runtime: ``python benchmarks/clients.py [FILES...]``.

Without files, ``models/baseline.keras`` is exported in every format and precision. Each client gets an environment of
its own below the data folder, made with pip when it is not there yet; delete the folder to take newer releases. The
images are the first 200 of the bundled CIFAR-10 test images. One row a client and file: on how many images the top
label is the same, and the largest difference of a probability; or what the client says of the file.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np

from edgecnn.data import samples
from edgecnn.data.folder import data_folder
from edgecnn_export.dataset import Images
from edgecnn_export.scoring import score_everywhere
from edgecnn_runtime import container

IMAGES = 200
MODEL = Path(__file__).parents[1] / "models" / "baseline.keras"
SCORES = Path(__file__).with_name("client_scores.py")

# Client: its package, and the formats that it is asked to read.
CLIENTS = {
    "mediapipe": ("mediapipe", ("tflite",)),
    "onnxruntime": ("onnxruntime", ("onnx",)),
    "openvino": ("openvino", ("tflite", "onnx")),
    "openvino-f32": ("openvino", ("tflite", "onnx")),
    "opencv": ("opencv-python-headless", ("onnx",)),
    "opencv-classic": ("opencv-python-headless", ("onnx",)),
}


class Row(NamedTuple):
    """One file in one client.

    Attributes:
        client: of :data:`CLIENTS`.
        version: of its package; empty where it failed.
        file: name of the model file.
        failure: what the client said last, where it gave no answers.
        same: share of the images whose top label is ours.
        difference: largest difference of a probability.
        margin: where the top label differs, how much more probable ours is than the client's, in our runtime; at most.
        labels: whether the client read our labels; None where it does not read any.
    """

    client: str
    version: str
    file: str
    failure: str = ""
    same: float = 0.0
    difference: float = 0.0
    margin: float = 0.0
    labels: bool | None = None


def environment(package: str) -> Path:
    """The Python of the environment in which ``package`` is installed, made if need be."""
    folder = data_folder() / "clients" / package
    python, ready = folder / "bin" / "python", folder / "ready"
    if not ready.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode:
            reason = (ended.stderr.strip().splitlines() or ["no reason given"])[-1]
            sys.exit(f"error: pip cannot install {package}: {reason}")
        ready.touch()
    return python


def compare(client: str, file: Path, images: Images, ours: Any) -> Row:
    """Run the images through ``file`` in the client; ``ours`` are our runtime's probabilities."""
    package, _ = CLIENTS[client]
    with TemporaryDirectory() as folder:
        pixels, answers = Path(folder, "images.npy"), Path(folder, "answers.npz")
        np.save(pixels, images)
        command = [environment(package), SCORES, client, file, pixels, answers]
        ended = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
        if ended.returncode:
            lines = ended.stderr.splitlines() or [f"exit status {ended.returncode}"]
            return Row(client, "", file.name, lines[-1])
        with np.load(answers) as saved:
            theirs, version, names = saved["probabilities"], str(saved["version"]), saved["names"].tolist()
    every, tops = np.arange(len(images)), theirs.argmax(-1)
    return Row(
        client,
        version,
        file.name,
        same=float((tops == ours.argmax(-1)).mean()),
        difference=float(abs(theirs - ours).max()),
        margin=float((ours.max(-1) - ours[every, tops]).max()),
        labels=names == list(container.read(file)[0].labels) if names else None,
    )


def export_all(folder: Path) -> list[Path]:
    """Every format and precision of ``baseline``."""
    from edgecnn.training import keras_backend
    from edgecnn_export.export import FORMATS, PRECISIONS, export

    keras_backend.choose_tensorflow("export")
    export(MODEL, FORMATS, PRECISIONS, folder, samples.calibration(), samples.test())
    return sorted(path for path in folder.iterdir() if path.suffix[1:] in FORMATS)


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--client", choices=CLIENTS, action="append")
    options = parser.parse_args()
    images = samples.test().images[:IMAGES]
    with TemporaryDirectory() as folder:
        for file in options.files or export_all(Path(folder)):
            model_format = container.read(file)[0].format
            ours = score_everywhere(file, model_format, images)[0].probabilities
            for client in options.client or CLIENTS:
                if model_format in CLIENTS[client][1]:
                    show(compare(client, file, images, ours))


def show(row: Row) -> None:
    """Print one row."""
    if row.failure:
        print(f"{row.client:15} {row.file:24} {row.failure}", flush=True)
    else:
        labels = "" if row.labels is None else ", our labels" if row.labels else ", other labels"
        print(
            f"{row.client:15} {row.file:24} {row.version:10} same top label {row.same:7.2%}, "
            f"largest difference {row.difference:.1e}, margin {row.margin:.1e}{labels}",
            flush=True,
        )


if __name__ == "__main__":
    main()
