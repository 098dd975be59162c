"""Other programs open our files and give our answers: the code and the clients of ``benchmarks/clients.py``."""

from __future__ import annotations

import functools
import json
import re
import runpy
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.data import samples
from edgecnn.data.cifar10 import LABEL_NAMES
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import FORMATS, PRECISIONS, export_model
from edgecnn_export.keras_file import About
from edgecnn_export.scoring import score_everywhere
from edgecnn_runtime import machine
from edgecnn_runtime.contract import InputSpec

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
clients = runpy.run_path(str(BENCHMARKS / "clients.py"))

ALIKE = [
    *(("mediapipe", f"{precision}.tflite") for precision in PRECISIONS),
    *(("onnxruntime", f"{precision}.onnx") for precision in ("fp32", "fp16", "int8")),
    *(("openvino", f"int8.{form}") for form in FORMATS),
    *(("openvino-f32", f"{precision}.{form}") for form in FORMATS for precision in ("fp32", "fp16", "int8")),
    *(("opencv", f"{precision}.onnx") for precision in ("fp32", "fp16")),
    *(("opencv-classic", f"{precision}.onnx") for precision in ("fp32", "int8")),
]
STEP = 1 / 256
VNNI = "VNNI" in machine.this_machine().features

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def exported(baseline: Any, calibration: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clients")
    about = About("baseline", LABEL_NAMES, InputSpec(32, 32), author="A. Person", license="MIT")
    export_model(baseline, about, FORMATS, PRECISIONS, folder, calibration, samples.test())
    return folder


@pytest.fixture(scope="module")
def ours(exported: Path) -> dict[str, Any]:
    images = samples.test().images[: clients["IMAGES"]]
    files = [file for file in exported.iterdir() if file.suffix[1:] in FORMATS]
    return {file.name: score_everywhere(file, file.suffix[1:], images)[0].probabilities for file in files}


@functools.cache
def environment(package: str) -> Path | str:
    """The client's Python, or why there is none: without a package index, asked only once."""
    try:
        return Path(clients["environment"](package))
    except SystemExit as problem:
        if "No matching distribution" not in str(problem):
            raise
        return f"no package index is reached, or it has none for this Python: {problem}"


def python(client: str) -> Path:
    found = environment(clients["CLIENTS"][client][0])
    return found if isinstance(found, Path) else pytest.skip(found)


def row(client: str, file: Path, ours: dict[str, Any]) -> Any:
    python(client)
    images = samples.test().images[: clients["IMAGES"]]
    return clients["compare"](client, file, images, ours[file.name])


@pytest.mark.parametrize(("client", "name"), ALIKE)
def test_the_same_answers(client: str, name: str, exported: Path, ours: dict[str, Any]) -> None:
    if client.startswith("openvino") and name == "int8.tflite" and not VNNI:
        pytest.skip("OpenVINO's 16-bit sums overflow without VNNI: see test_what_the_documentation_says_does_not_work")
    found = row(client, exported / f"baseline-{name}", ours)
    assert (found.failure, found.file) == ("", f"baseline-{name}")
    assert found.labels is (True if client in {"mediapipe", "onnxruntime"} else None)
    tolerance = STEP if name.startswith("int8") else 1e-3
    assert found.difference <= tolerance
    assert found.same >= 0.99
    assert found.margin <= tolerance  # the top label differs only where two are as good as equal


def test_what_the_documentation_says_does_not_work(exported: Path, ours: dict[str, Any]) -> None:
    """Once a client learns it, docs/clients.md must say so."""
    for name in ("int8", "dynamic"):
        assert row("opencv", exported / f"baseline-{name}.onnx", ours).failure
    if not VNNI:
        assert row("openvino-f32", exported / "baseline-int8.tflite", ours).same < 0.99


def test_a_file_without_the_metadata_has_no_labels_for_mediapipe(
    exported: Path, ours: dict[str, Any], tmp_path: Path
) -> None:
    """What the metadata is for: the entry renamed, MediaPipe does not find it."""
    whole = (exported / "baseline-fp32.tflite").read_bytes()
    assert whole.count(b"TFLITE_METADATA") == 1
    file = tmp_path / "nameless.tflite"
    file.write_bytes(whole.replace(b"TFLITE_METADATA", b"TFLITE_METADATE"))
    pixels, answers = tmp_path / "images.npy", tmp_path / "answers.npz"
    np.save(pixels, samples.test().images[:1])
    command = [python("mediapipe"), BENCHMARKS / "client_scores.py", "mediapipe", file, pixels, answers]
    subprocess.run(list(map(str, command)), check=True, capture_output=True)
    with np.load(answers) as saved:
        assert set(saved["names"].tolist()) == {""}


READ = """
import json, sys
from mediapipe.tasks.metadata import metadata_schema_py_generated as metadata, schema_py_generated as schema
model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(open(sys.argv[1], "rb").read()))
(buffer,) = [each.buffer for each in model.metadata if each.name == b"TFLITE_METADATA"]
data = bytes(model.buffers[buffer].data)
assert metadata.ModelMetadata.ModelMetadataBufferHasIdentifier(data, 0)
def plain(value):
    if isinstance(value, bytes):
        return value.decode()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, list):
        return [plain(each) for each in value]
    if hasattr(value, "__dict__"):
        return {key: plain(each) for key, each in vars(value).items() if each is not None}
    return value
print(json.dumps(plain(metadata.ModelMetadataT.InitFromObj(metadata.ModelMetadata.GetRootAs(data)))))
"""


@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_metadata_read_with_mediapipes_own_schema(precision: str, exported: Path) -> None:
    command = [str(python("mediapipe")), "-c", READ, str(exported / f"baseline-{precision}.tflite")]
    said = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert (said["name"], said["author"], said["license"]) == (f"baseline-{precision}", "A. Person", "MIT")
    assert said["minParserVersion"] == "1.0.0"
    (graph,) = said["subgraphMetadata"]
    (pixels,), (probabilities,) = graph["inputTensorMetadata"], graph["outputTensorMetadata"]
    assert pixels["content"]["contentProperties"]["colorSpace"] == 1
    assert pixels["processUnits"][0]["options"] == {"mean": [0.0], "std": [1.0]}
    assert pixels["stats"] == {"max": [255.0], "min": [0.0]}
    assert probabilities["stats"] == {"max": [1.0], "min": [0.0]}
    assert [(each["name"], each["type"]) for each in probabilities["associatedFiles"]] == [("labels.txt", 2)]


def examples() -> list[tuple[str, str]]:
    """Each section of the documentation that has an example, and the example."""
    text = (ROOT / "docs" / "clients.md").read_text()
    sections = [section.partition("\n") for section in text.split("\n## ")]
    return [
        (name.lower(), code) for name, _, body in sections for code in re.findall(r"```python\n(.*?)```", body, re.S)
    ]


@pytest.mark.parametrize(("client", "code"), [pytest.param(*each, id=each[0]) for each in examples()])
def test_the_examples_of_the_documentation_know_a_frog(client: str, code: str, exported: Path) -> None:
    picture = ROOT / "docs" / "pictures" / "frog.png"
    shutil.copy(picture, exported)
    np.save(exported / "pixels.npy", np.asarray(Image.open(picture).convert("RGB"))[None])
    command = [str(python(client)), "-c", code]
    said = subprocess.run(command, cwd=exported, check=True, capture_output=True, text=True).stdout
    assert said.startswith(("frog", "['frog']", f"[{LABEL_NAMES.index('frog')}]"))


def test_every_client_has_its_example() -> None:
    assert {client for client, _ in examples()} == {client.partition("-")[0] for client in clients["CLIENTS"]}
