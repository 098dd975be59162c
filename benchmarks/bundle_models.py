"""Put trained runs into the repository: ``python benchmarks/bundle_models.py RUN...``.

Each run becomes ``models/NAME.keras``, with its weights rounded to half precision and the archive deflated, which
halves its size and leaves the accuracy where it was; the accuracy noted in it is measured again, on the 10,000 test
images. Its recipe and its history come to lie beside it, and of the edge family the card of the int8 TFLite file. The
run of ``edge-s`` also becomes the model that ``edgecnn classify`` uses by default.
"""

from __future__ import annotations

import shutil
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from edgecnn_export.placing import written

ROOT = Path(__file__).parents[1]
DEFAULT = "edge-s"


def bundle(run: Path) -> Path:
    """Write the compact Keras file of ``run`` and return its path."""
    from edgecnn.data import cifar10
    from edgecnn.metrics import measure
    from edgecnn_export import keras_file
    from edgecnn_export.reference import reference_scores

    model, about = keras_file.load(keras_file.locate(run))
    model.set_weights([weight.astype(np.float16).astype(np.float32) for weight in model.get_weights()])
    test = cifar10.load().test
    accuracy = measure(test.labels, reference_scores(model, test)).accuracy
    about = replace(about, training=about.training | {"test_accuracy": accuracy, "weights": "rounded to float16"})
    target = ROOT / "models" / f"{about.name}.keras"
    target.parent.mkdir(exist_ok=True)
    keras_file.save(target, model, about)
    deflate(target)
    for kept in ("recipe.json", "history.csv"):
        shutil.copyfile(run / kept, target.with_suffix(f".{kept}"))
    print(f"{target}: {target.stat().st_size:,} bytes, test accuracy {accuracy:.2%}")
    return target


def deflate(path: Path) -> None:
    """Compress the members of a ZIP archive, which Keras stores as they are."""
    with (
        written(path) as smaller,
        zipfile.ZipFile(path) as source,
        zipfile.ZipFile(smaller, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as out,
    ):
        for name in source.namelist():
            out.writestr(zipfile.ZipInfo(name), source.read(name), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    from edgecnn.cli.main import run as edgecnn
    from edgecnn.training import keras_backend

    keras_backend.choose_tensorflow("bundling")
    for folder in sys.argv[1:]:
        model = bundle(Path(folder))
        if not model.stem.startswith("edge-"):
            continue
        with TemporaryDirectory() as work:
            if edgecnn(["export", str(model), "--int8", "--license", "Apache-2.0", "--out", work]):
                sys.exit(1)
            files = [Path(work, f"{model.stem}-int8.{form}") for form in ("tflite", "onnx")]
            shutil.copyfile(f"{files[0]}.md", model.with_suffix(".md"))
            if model.stem == DEFAULT:
                for file in files:
                    shutil.copyfile(file, ROOT / "edgecnn" / "models" / file.name)
