"""What exported files say of themselves to other programs, read back with the numbers of the public schemas."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers.table
import onnx as onnx_package
import pytest
from ai_edge_litert.interpreter import Interpreter
from flatbuffers import number_types

from edgecnn import __version__
from edgecnn.cli.main import run as edgecnn
from edgecnn.data.cifar10 import LABEL_NAMES
from edgecnn_export import keras_file, onnx, onnx_metadata, tflite, tflite_metadata
from edgecnn_export.dataset import Dataset
from edgecnn_export.keras_file import About
from edgecnn_runtime import container
from edgecnn_runtime.contract import InputSpec

ABOUT = About("net", LABEL_NAMES, InputSpec(32, 32), author="Zoë Ångström", license="Apache-2.0")


class Table:
    """A table of any FlatBuffer, by the numbers of its fields."""

    def __init__(self, data: bytes, position: int | None = None) -> None:
        self.data = data
        root = int.from_bytes(data[:4], "little")
        self.table = flatbuffers.table.Table(bytearray(data), root if position is None else position)

    def _offset(self, field: int) -> int:
        return int(self.table.Offset(4 + 2 * field))

    def byte(self, field: int) -> int:
        return self.data[self.table.Pos + self._offset(field)] if self._offset(field) else 0

    def text(self, field: int) -> str | None:
        offset = self._offset(field)
        return bytes(self.table.String(self.table.Pos + offset)).decode() if offset else None

    def below(self, field: int) -> Table:
        return Table(self.data, self.table.Indirect(self.table.Pos + self._offset(field)))

    def vector(self, field: int) -> list[Table]:
        offset = self._offset(field)
        if not offset:
            return []
        start = self.table.Vector(offset)
        positions = [start + 4 * index for index in range(self.table.VectorLen(offset))]
        return [Table(self.data, self.table.Indirect(position)) for position in positions]

    def texts(self, field: int) -> list[str]:
        offset = self._offset(field)
        start, length = self.table.Vector(offset), self.table.VectorLen(offset)
        return [bytes(self.table.String(start + 4 * index)).decode() for index in range(length)]

    def floats(self, field: int) -> list[float]:
        return [float(x) for x in self.table.GetVectorAsNumpy(number_types.Float32Flags, self._offset(field))]


def tflite_metadata_of(model: bytes) -> bytes:
    from tensorflow.lite.python.schema_py_generated import Model

    tables = Model.GetRootAsModel(model, 0)
    entries = [tables.Metadata(index) for index in range(tables.MetadataLength())]
    (buffer,) = [entry.Buffer() for entry in entries if entry.Name() == b"TFLITE_METADATA"]
    return bytes(tables.Buffers(buffer).DataAsNumpy().tobytes())


@pytest.fixture(scope="session", params=["fp32", "fp16", "dynamic", "int8"])
def precision(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def bare_tflite(baseline: Any, calibration: Dataset, precision: str) -> bytes:
    return tflite.convert(baseline, precision, calibration.images)


@pytest.fixture(scope="session")
def bare_onnx(baseline: Any, calibration: Dataset, precision: str) -> bytes:
    return onnx.convert(baseline, precision, calibration.images)


def test_tflite_metadata_by_the_schema(bare_tflite: bytes, precision: str) -> None:
    data = tflite_metadata_of(tflite_metadata.add(bare_tflite, ABOUT, precision))
    assert data[4:8] == b"M001"
    model = Table(data)
    assert model.text(0) == f"net-{precision}"
    assert model.text(1) == f"net in {precision}: classifies images of 32 x 32 pixels into 10 classes"
    assert model.text(2) == f"edgecnn {__version__}"
    assert (model.text(4), model.text(5), model.text(7)) == ("Zoë Ångström", "Apache-2.0", "1.0.0")
    (graph,) = model.vector(3)
    ((given,), (wanted,)) = (graph.vector(field) for field in (2, 3))

    assert (given.text(0), given.texts(2)) == ("pixels", ["batch", "height", "width", "channel"])
    assert "RGB pixels 0..255" in (given.text(1) or "")
    image, rgb = 2, 1
    assert given.below(3).byte(0) == image
    assert given.below(3).below(1).byte(0) == rgb
    (unit,) = given.vector(4)
    normalization = 1
    assert unit.byte(0) == normalization
    assert (unit.below(1).floats(0), unit.below(1).floats(1)) == ([0.0], [1.0])
    assert (given.below(5).floats(0), given.below(5).floats(1)) == ([255.0], [0.0])

    assert wanted.text(0) == "probabilities"
    assert (wanted.below(5).floats(0), wanted.below(5).floats(1)) == ([1.0], [0.0])
    (labels,) = wanted.vector(6)
    axis_labels = 2
    assert (labels.text(0), labels.byte(2)) == ("labels.txt", axis_labels)


def test_tflite_tensors_have_our_names(bare_tflite: bytes, precision: str) -> None:
    interpreter = Interpreter(model_content=tflite_metadata.add(bare_tflite, ABOUT, precision))
    assert [each["name"] for each in interpreter.get_input_details()] == ["pixels"]
    assert [each["name"] for each in interpreter.get_output_details()] == ["probabilities"]
    assert interpreter.get_signature_list()["serving_default"] == {"inputs": ["pixels"], "outputs": ["probabilities"]}


def test_nothing_else_in_a_tflite_file_changes(bare_tflite: bytes, precision: str) -> None:
    from tensorflow.lite.tools import flatbuffer_utils

    before, after = (
        flatbuffer_utils.convert_bytearray_to_object(data)
        for data in (bare_tflite, tflite_metadata.add(bare_tflite, ABOUT, precision))
    )
    after.buffers.pop()
    after.metadata.pop()
    names = [tensor.name for tensor in after.subgraphs[0].tensors]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) < 50
    for long, short in zip(before.subgraphs[0].tensors, after.subgraphs[0].tensors, strict=True):
        short.name = long.name
    assert bytes(flatbuffer_utils.convert_object_to_bytearray(after)) == bare_tflite


def test_onnx_metadata_by_the_standard(bare_onnx: bytes, precision: str) -> None:
    model = onnx_package.load_from_string(onnx_metadata.add(bare_onnx, ABOUT, precision))
    onnx_package.checker.check_model(model, full_check=True)
    assert (model.producer_name, model.producer_version) == ("edgecnn", __version__)
    assert model.doc_string == f"net in {precision}: classifies images of 32 x 32 pixels into 10 classes"
    entries = {entry.key: entry.value for entry in model.metadata_props}
    assert len(entries) == len(model.metadata_props)
    wanted = {
        "name": f"net-{precision}",
        "normalization": "none: pixels 0..255 go in as they are (mean 0, std 1)",
        "format_version": "1",
        "model_author": "Zoë Ångström",
        "model_license": "Apache-2.0",
        "Image.BitmapPixelFormat": "Rgb8",
        "Image.ColorSpaceGamma": "SRGB",
        "Image.NominalPixelRange": "NominalRange_0_255",
    }
    assert entries.items() >= wanted.items()
    (given,), (probabilities,) = model.graph.input, model.graph.output
    assert given.type.denotation == "IMAGE"
    assert [each.denotation for each in given.type.tensor_type.shape.dim] == [
        "DATA_BATCH",
        "DATA_FEATURE",
        "DATA_FEATURE",
        "DATA_CHANNEL",
    ]
    assert "RGB pixels 0..255" in given.doc_string
    assert "probability of each class" in probabilities.doc_string
    assert model.graph.doc_string


def test_nothing_else_in_an_onnx_file_changes(bare_onnx: bytes, precision: str) -> None:
    before, after = map(onnx_package.load_from_string, (bare_onnx, onnx_metadata.add(bare_onnx, ABOUT, precision)))
    del after.metadata_props[len(before.metadata_props) :]
    for model in (before, after):
        for name in ("producer_name", "producer_version", "doc_string"):
            model.ClearField(name)
        for value in (*model.graph.input, *model.graph.output):
            value.ClearField("doc_string")
            value.type.ClearField("denotation")
            for dimension in value.type.tensor_type.shape.dim:
                dimension.ClearField("denotation")
    assert after == before


Say = Callable[[bytes, About], tuple[str | None, str | None]]


def credits_tflite(model: bytes, about: About) -> tuple[str | None, str | None]:
    table = Table(tflite_metadata_of(tflite_metadata.add(model, about, "fp32")))
    return table.text(4), table.text(5)


def credits_onnx(model: bytes, about: About) -> tuple[str | None, str | None]:
    proto = onnx_package.load_from_string(onnx_metadata.add(model, about, "fp32"))
    entries = {entry.key: entry.value for entry in proto.metadata_props}
    return entries.get("model_author"), entries.get("model_license")


@pytest.mark.parametrize(("convert", "say"), [(tflite.convert, credits_tflite), (onnx.convert, credits_onnx)])
def test_an_author_whom_nobody_named_or_none_can_write(baseline: Any, convert: Any, say: Say) -> None:
    model = convert(baseline, "fp32", None)
    assert say(model, replace(ABOUT, author="", license="")) == (None, None)
    assert say(model, replace(ABOUT, author="Zo\udceb")) == ("Zo?", "Apache-2.0")


def test_a_keras_file_keeps_its_author(baseline: Any, tmp_path: Path) -> None:
    keras_file.save(tmp_path / "net.keras", baseline, ABOUT)
    assert keras_file.read_about(tmp_path / "net.keras") == ABOUT


def test_exported_files_carry_it_all(baseline_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    words = ["export", str(baseline_path), "--out", str(tmp_path), "--author", "A. Person", "--license", "MIT"]
    assert edgecnn(words) == 0
    contract, data = container.read(tmp_path / "baseline-fp32.tflite")
    metadata = Table(tflite_metadata_of(data))
    assert (metadata.text(0), metadata.text(4), metadata.text(5)) == ("baseline-fp32", "A. Person", "MIT")
    (labels,) = metadata.vector(3)[0].vector(3)[0].vector(6)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read(labels.text(0) or "").decode().splitlines() == list(LABEL_NAMES) == list(contract.labels)

    model = onnx_package.load(tmp_path / "baseline-fp32.onnx")
    onnx_package.checker.check_model(model, full_check=True)
    entries = {entry.key: entry.value for entry in model.metadata_props}
    assert len(entries) == len(model.metadata_props)
    assert (entries["name"], entries["model_author"], entries["model_license"]) == ("baseline-fp32", "A. Person", "MIT")
    assert entries["labels"].splitlines() == list(LABEL_NAMES)
