"""Every trained network, format, precision and interpreter gives the Keras model's answers on CIFAR-10."""

from __future__ import annotations

import contextlib
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edgecnn.data import cifar10, samples
from edgecnn.training import keras_backend
from edgecnn.zoo import NETWORKS
from edgecnn_export.comparison import Row
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import CASES, FORMATS, PRECISIONS, export
from edgecnn_export.options import Listener, Options
from edgecnn_runtime import container
from edgecnn_runtime.backends import installed
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.errors import ParityError

MODELS = Path(__file__).parents[2] / "models"
TRAINED = [name for name in NETWORKS if (MODELS / f"{name}.keras").exists()]

SHORT = tuple(precision for precision in PRECISIONS if precision != "int16x8")

MOST = 20_000_000
"""Multiply-adds of a network that the quick tests export. It takes a minute beyond, and is worth that for one."""

CARRIED = "edge-s"

REFUSED = {("lenet5", "tflite", "int8")}
"""Its rounding adds up to more than half a point, with no layer to blame; export puts int16x8 in its place."""

Exported = dict[tuple[str, str], list[Row]]


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=pytest.mark.full) if NETWORKS[name].multiply_adds > MOST and name != CARRIED else name
        for name in TRAINED
    ],
)
def network(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def folder(network: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp(network)


@pytest.fixture(scope="module")
def quick(network: str, folder: Path) -> Exported:
    return export_all(network, folder, samples.test())


@pytest.fixture(scope="module")
def full(network: str, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    return export_all(network, tmp_path_factory.mktemp(f"{network}-full"), cifar10.load().test)


def export_all(network: str, folder: Path, evaluation: Dataset) -> Exported:
    keras_backend.choose_tensorflow("parity")
    rows: Exported = {}

    class Keep(Listener):
        def compared(self, path: Path, compared: list[Row]) -> None:
            rows[compared[0].format, compared[0].precision] = compared

    source, options = MODELS / f"{network}.keras", Options(rescue=False)
    for formats, precisions in ((FORMATS, SHORT), (("tflite",), ("int16x8",))):
        images = shown(network, precisions[0], evaluation)
        with contextlib.suppress(ParityError):  # the tests below say which file it was, one by one
            export(source, formats, precisions, folder, samples.calibration(), images, options, Keep())
    return rows


def shown(network: str, precision: str, evaluation: Dataset) -> Dataset:
    """The images to compare on: all, but not of the 16-bit kernels, which take a second for a billion multiply-adds."""
    most = len(evaluation) * 4_000_000 // NETWORKS[network].multiply_adds
    if precision != "int16x8" or most >= len(evaluation):
        return evaluation
    return evaluation.subset(f"{evaluation.name}/{most}", np.arange(most))


@pytest.mark.parametrize(("form", "precision"), CASES)
def test_bundled_images(quick: Exported, network: str, form: str, precision: str) -> None:
    check(quick[form, precision], network, form, precision)


@pytest.mark.full
@pytest.mark.parametrize(("form", "precision"), CASES)
def test_all_test_images(full: Exported, network: str, form: str, precision: str) -> None:
    check(full[form, precision], network, form, precision)


def check(rows: list[Row], network: str, form: str, precision: str) -> None:
    assert [row.backend.split()[0] for row in rows] == installed(form) != []
    if (network, form, precision) in REFUSED:
        assert any("accuracy" in failure for row in rows for failure in row.failures)
        return
    for row in rows:
        assert row.failures == ()
        if precision == "fp32":
            assert row.agreement >= 0.9999
            assert row.difference <= 1e-4
        else:
            assert row.change is not None
            assert row.interval is not None
            assert row.change >= (-0.5 if precision == "int8" else -0.1) or row.interval[1] >= 0


def test_eight_bits_are_smaller(quick: Exported, network: str) -> None:
    sizes = {key: rows[0].size for key, rows in quick.items()}
    for form in FORMATS:
        assert sizes[form, "fp16"] < 0.55 * sizes[form, "fp32"]
        # The smallest has many layers for its weights, and an ONNX file says as much of each as in the largest.
        most = 0.38 if (network, form) == ("edge-xs", "onnx") else 0.35
        assert sizes[form, "int8"] < most * sizes[form, "fp32"]


def test_the_contract_carries_the_proof(quick: Exported, network: str, folder: Path) -> None:
    for (form, precision), rows in quick.items():
        evaluation = shown(network, precision, samples.test())
        if (network, form, precision) in REFUSED:
            continue
        contract, _ = container.read(folder / f"{network}-{precision}.{form}")
        assert (contract.model, contract.format, contract.precision) == (network, form, precision)
        assert contract.labels == cifar10.LABEL_NAMES
        assert contract.parity["images"] == len(evaluation)
        assert contract.parity["fingerprint"] == evaluation.fingerprint
        assert [each["accuracy"] for each in contract.parity["results"]] == [row.accuracy for row in rows]
        calibrated = contract.calibration.get("fingerprint")
        assert calibrated == (samples.calibration().fingerprint if precision.startswith("int") else None)
        assert contract.golden is not None
        assert contract.golden.count == 16
        assert list(contract.golden.exported) == [row.backend for row in rows]
        assert contract.tools["machine"] == platform.machine()
        assert len(contract.golden.images) <= 64_000


def test_an_answer_does_not_depend_on_its_neighbours(quick: Exported, network: str, folder: Path) -> None:
    images = samples.test().images[:8]
    for precision in (precision for form, precision in CASES if form == "onnx"):
        classifier = Classifier.open(folder / f"{network}-{precision}.onnx")
        alone = np.concatenate([classifier.scores([each]) for each in images])
        assert np.abs(classifier.scores(images) - alone).max() < 1e-6


def test_every_file_is_verified_in_every_interpreter(quick: Exported, network: str, folder: Path) -> None:
    for form in FORMATS:
        cases = [each for each in CASES if each[0] == form and (network, *each) not in REFUSED]
        files = [str(folder / f"{network}-{precision}.{form}") for _, precision in cases]
        for interpreter in installed(form):
            command = [sys.executable, "-m", "edgecnn", "verify", *files, "--backend", interpreter]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
            assert (ended.returncode, ended.stderr) == (0, "")
            lines = ended.stdout.splitlines()
            assert [line.split()[1].rstrip(":") for line in lines] == files
            assert all("16 of 16 pictures" in line and "not run in it" not in line for line in lines)


def test_one_file_is_a_complete_deployment(quick: Exported, network: str, folder: Path) -> None:
    evaluation = samples.test()
    classifier = Classifier.open(folder / f"{network}-int8.onnx")
    right = sum(
        classifier.classify(image, top=1)[0].label == evaluation.label_names[label]
        for image, label in zip(evaluation.images[:200], evaluation.labels[:200], strict=True)
    )
    assert right / 200 > 0.5


def test_every_model_is_of_a_network() -> None:
    assert {path.stem for path in MODELS.glob("*.keras")} == set(TRAINED) != set()


@pytest.fixture(autouse=True, scope="module")
def _one_interpreter_a_process() -> Iterator[None]:
    """The comparison must not load a TFLite interpreter beside TensorFlow: it would break."""
    yield
    assert "tflite_runtime" not in sys.modules
