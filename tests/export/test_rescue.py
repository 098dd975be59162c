"""A network made to break under int8, and the one thing that saves it."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from edgecnn.cli.main import run as edgecnn
from edgecnn_export import exporter, keras_file, onnx
from edgecnn_export.card import card as write_card
from edgecnn_export.comparison import Row, complaints
from edgecnn_export.dataset import Dataset, Images
from edgecnn_export.export import export, export_model
from edgecnn_export.operators import Int8, Operator, between, layer, ranked
from edgecnn_export.options import Listener, Options
from edgecnn_export.proof import Reference
from edgecnn_export.rescue import kept_in_float
from edgecnn_export.tflite import TFLite
from edgecnn_runtime import container
from edgecnn_runtime.backends import installed
from edgecnn_runtime.contract import Contract, InputSpec
from edgecnn_runtime.errors import ParityError

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@contextmanager
def calibrated(form: str, model: Any, images: Images) -> Iterator[Int8]:
    if form == "tflite":
        yield TFLite(model, images).int8
    else:
        with onnx.opened(model, images) as network:
            yield network.int8


@pytest.fixture(scope="module")
def brittle(baseline_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``baseline`` with two huge channels between its first layers."""
    path = tmp_path_factory.mktemp("brittle") / "baseline.keras"
    make: Any = runpy.run_path(str(BENCHMARKS / "make_brittle.py"))["main"]
    make(str(baseline_path), str(path))
    return path


class Log(Listener):
    """Everything that was told."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, list[Row]]] = []
        self.notes: list[str] = []
        self.errors: dict[str, float] = {}

    def compared(self, path: Path, rows: list[Row]) -> None:
        self.rows.append((path.name, rows))

    def layers(self, path: Path, errors: dict[str, float]) -> None:
        self.errors = errors

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_the_fewest_layers_are_kept_in_float(
    brittle: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path, form: str
) -> None:
    log = Log()
    export(brittle, [form], ["int8"], tmp_path, calibration, evaluation, Options(), log)
    (refused, before), (saved, after) = log.rows
    assert (refused, saved) == (f"baseline-int8.{form}.rejected", f"baseline-int8.{form}")
    assert min(row.change for row in before if row.change is not None) < -20
    assert all(row.failures == () for row in after)
    contract, _ = container.read(tmp_path / saved)
    assert contract.rescue["kept"] == ["conv", "dense"]
    assert contract.rescue["bytes"] > contract.rescue["int8_bytes"]
    assert "accuracy" in contract.rescue["because"]
    assert "kept in float: conv, dense" in log.notes[-1]
    assert next(iter(log.errors)) in {"conv", "dense"}
    assert {path.name for path in tmp_path.iterdir()} == {saved, f"{saved}.json", f"{saved}.md"}
    card = (tmp_path / f"{saved}.md").read_text()
    assert card == write_card(contract, contract.rescue["bytes"])
    assert f"Kept in float (fp32): conv, dense. Why: wholly in 8 bits the file was refused, {saved}: accuracy: " in card
    assert f"{contract.rescue['bytes']:,} bytes instead of {contract.rescue['int8_bytes']:,}" in card


@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_it_says_what_fp16_takes(
    brittle: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path, form: str
) -> None:
    log = Log()
    export(brittle, [form], ["int8", "fp16"], tmp_path, calibration, evaluation, Options(), log)
    half = (tmp_path / f"baseline-fp16.{form}").read_bytes()
    size = container.parse(half)[1]
    assert log.notes[-1].endswith(f"; --precision fp16 takes {size / 1000:,.1f} kB")


@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_without_rescue_it_is_kept_aside(
    brittle: Path, tmp_path: Path, form: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    out, file = tmp_path / "out", f"baseline-int8.{form}"
    words = ["export", str(brittle), "--int8", "--format", form, "--out", str(out), "--no-rescue"]
    assert edgecnn(words) == 1
    output = capfd.readouterr()
    assert f"refused, kept as {out}/{file}.rejected" in output.out
    assert "FAIL accuracy" in output.out
    assert "worst classes, points: " in output.err
    assert "worst layers, relative error: " in output.err
    assert {path.name for path in out.iterdir()} == {f"{file}.rejected", f"{file}.rejected.json"}
    report = json.loads((out / f"{file}.rejected.json").read_text())
    assert [each["passed"] for each in report["results"]] == [False] * len(report["results"])
    failed = [each for each in report["results"][0]["checks"] if not each["passed"]]
    assert [each["name"] for each in failed] == ["accuracy", "labels"]
    contract, _ = container.read(out / f"{file}.rejected")
    assert contract.parity["results"] == report["results"]


def test_what_cannot_be_saved_is_replaced(
    brittle: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With layers in float ruled out, 16-bit values are tried and lose too much, and half precision does not."""
    monkeypatch.setattr("edgecnn_export.exporter.kept_in_float", lambda *_: iter(()))
    log = Log()
    export(brittle, ["tflite"], ["int8"], tmp_path, calibration, evaluation, Options(), log)
    assert [name for name, _ in log.rows] == [
        "baseline-int8.tflite.rejected",
        "baseline-int16x8.tflite.rejected",
        "baseline-fp16.tflite",
    ]
    assert "baseline-fp16.tflite is in its place" in log.notes[-1]


@pytest.mark.skipif(
    "tflite-runtime" not in installed("tflite"), reason="the interpreter that lacks the operator is not installed"
)
def test_what_an_interpreter_refuses_is_rescued_too(
    baseline: Any, calibration: Dataset, evaluation: Dataset, tmp_path: Path
) -> None:
    """tflite-runtime 2.14 has no logarithm in 8 bits, which is a part of Mish."""
    import keras

    pixels = keras.Input((32, 32, 3))
    answer = baseline(pixels)
    model = keras.Model(pixels, keras.layers.Softmax()(20 * answer + keras.layers.Activation("mish")(answer)))
    about = keras_file.About("mish", evaluation.label_names, InputSpec(32, 32))
    log = Log()
    export_model(model, about, ["tflite"], ["int8"], tmp_path, calibration, evaluation, Options(), log)
    assert log.notes[0].startswith("tflite-runtime failed on mish-int8.tflite: ")
    assert "LOG" in log.notes[0]
    name, rows = log.rows[-1]
    assert (tmp_path / name).exists()
    assert not complaints(rows)


def test_a_limit_that_nothing_keeps(
    brittle: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgecnn_export.exporter._INSTEAD", {"onnx": ()})
    monkeypatch.setattr("edgecnn_export.exporter.kept_in_float", lambda *_: iter(()))
    with pytest.raises(ParityError, match=r"refused: baseline-int8\.onnx: accuracy"):
        export(brittle, ["onnx"], ["int8"], tmp_path, calibration, evaluation)


@pytest.mark.parametrize("max_drop", [None, 1.5])
def test_layers_are_looked_for_by_the_users_limit(
    max_drop: float | None,
    brittle: Path,
    calibration: Dataset,
    evaluation: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: set[float | None] = set()

    def fails(_: bytes, __: Contract, trial: Reference, ___: Path) -> bool:
        asked.add(trial.max_drop)
        return False

    monkeypatch.setattr(exporter, "passes", fails)
    monkeypatch.setattr(exporter, "_INSTEAD", {"tflite": ()})
    with pytest.raises(ParityError, match=r"refused: baseline-int8\.tflite: accuracy"):
        export(brittle, ["tflite"], ["int8"], tmp_path, calibration, evaluation, Options(max_drop))
    assert asked == {max_drop}


@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_a_healthy_network_has_no_large_errors(baseline: Any, calibration: Dataset, form: str) -> None:
    with calibrated(form, baseline, calibration.images) as network:
        errors = ranked(network.operators, network.errors())
    layers = [each.name for each in baseline.layers if each.weights]
    assert {layer(name, layers) for name in errors} == {"conv", "dense", "probabilities"}
    assert 0.001 < min(errors.values()) <= max(errors.values()) < 0.2


@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_layers_are_kept_in_float(baseline: Any, calibration: Dataset, form: str) -> None:
    with calibrated(form, baseline, calibration.images) as network:
        whole = len(network.convert())
        dense = next(each.name for each in network.operators if each.weighted and "dense" in each.name)
        kept = len(network.convert(frozenset({dense})))
    assert kept > whole + 2.9 * baseline.get_layer("dense").kernel.shape[0] * 100


def test_debug_layers(
    baseline_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    words = ["export", str(baseline_path), "--int8", "--format", "tflite", "--out", str(tmp_path), "--debug-layers"]
    assert edgecnn(words) == 0
    table = capsys.readouterr().out
    assert "baseline-int8.tflite: error of each layer by itself, relative" in table
    assert all(name in table for name in ("conv", "dense", "probabilities"))
    assert (tmp_path / "baseline-int8.tflite.layers.png").read_bytes()[:4] == b"\x89PNG"


GRAPH = [
    Operator("scale", ("pixels",), ("a",), False),
    Operator("conv", ("a", "w1"), ("b",), True),
    Operator("pool", ("b",), ("c",), False),
    Operator("left", ("c", "w2"), ("d",), True),
    Operator("right", ("c", "w3"), ("e",), True),
    Operator("add", ("d", "e"), ("f",), False),
    Operator("dense", ("f", "w4"), ("g",), True),
    Operator("softmax", ("g",), ("h",), False),
]


def test_what_stands_between() -> None:
    assert between(GRAPH, ["conv"]) == {"conv"}
    assert between(GRAPH, ["conv", "right"]) == {"conv", "pool", "right"}
    assert between(GRAPH, ["left", "dense"]) == {"left", "add", "dense", "softmax"}
    assert between(GRAPH, ["conv", "dense"]) == {"conv", "dense", "softmax"}


def test_an_operators_error_is_that_of_all_that_works_on_its_output() -> None:
    errors = {"conv": 0.1, "pool": 0.3, "left": 0.2, "add": 0.25, "softmax": 9.0, "scale": 9.0}
    assert ranked(GRAPH, errors) == {"conv": 0.3, "left": 0.25, "right": 0.25, "dense": 0.0}
    assert next(iter(ranked(GRAPH, errors))) == "conv"


@pytest.mark.parametrize(
    ("operator", "name"),
    [
        ("resnet8_1/stage_1_relu_1/Relu;resnet8_1/stage_1_conv_2_1/convolution", "stage_1_conv_2"),
        ("conv_1/BiasAdd", "conv"),
        ("conv_1_1/Relu", "conv_1"),
        ("Transpose__26", "Transpose__26"),
    ],
)
def test_operators_are_told_by_their_layers(operator: str, name: str) -> None:
    assert layer(operator, ["conv", "conv_1", "stage_1_conv_2"]) == name


@pytest.mark.parametrize("method", ["entropy", "percentile"])
def test_other_ranges_give_another_file_of_the_same_model(
    baseline_path: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path, method: str
) -> None:
    contents = []
    for each in ("minmax", method):
        out = tmp_path / each
        export(baseline_path, ["onnx"], ["int8"], out, calibration, evaluation, Options(calibration_method=each))
        contract, whole = container.read(out / "baseline-int8.onnx")
        assert contract.calibration["method"] == each
        contents.append(whole[: container.parse(whole)[1]])
    assert contents[0] != contents[1]


def test_the_method_is_onnxs_and_tflite_says_its_own(
    baseline_path: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path
) -> None:
    entropy = Options(calibration_method="entropy")
    export(baseline_path, ["tflite", "onnx"], ["int8"], tmp_path, calibration, evaluation, entropy)
    for form, method in (("tflite", "minmax"), ("onnx", "entropy")):
        assert container.read(tmp_path / f"baseline-int8.{form}")[0].calibration["method"] == method


def test_an_unknown_calibration_method(baseline_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert edgecnn(["export", str(baseline_path), "--int8", "--calibration-method", "mean"]) == 2
    assert "there are: minmax, entropy, percentile" in capfd.readouterr().err
    assert edgecnn(["export", str(baseline_path), "--int8", "--max-drop", "-1"]) == 2
    assert "--max-drop is in points from 0 to 100" in capfd.readouterr().err


class _Needs:
    """A network that passes in 8 bits when the named operators are in float, as far as ``passes`` can see."""

    operators = GRAPH

    def convert(self, kept: frozenset[str] = frozenset()) -> bytes:
        return ",".join(sorted(kept)).encode()

    def errors(self) -> dict[str, float]:
        return {"conv": 0.9, "left": 0.5, "right": 0.4, "dense": 0.1}


def test_what_may_be_lost_is_the_users_to_say_and_is_remembered(
    brittle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    words = ["export", str(brittle), "--format", "tflite", "--int8", "--max-drop", "60", "--out", str(tmp_path)]
    assert edgecnn(words) == 0
    file = tmp_path / "baseline-int8.tflite"
    contract, _ = container.read(file)
    assert (contract.parity["max_drop"], contract.rescue) == (60, {})
    assert min(each["change"] for each in contract.parity["results"]) < -5
    assert "at most 60 points lost" in capfd.readouterr().out
    assert edgecnn(["parity", str(brittle), str(file), "--quick"]) == 0
    assert "passed, may lose 60" in capfd.readouterr().out


def test_no_other_precision_is_a_source_of_c(
    brittle: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporter, "kept_in_float", lambda *_: iter(()))
    with pytest.raises(ParityError, match=r"^refused: baseline-int8\.tflite"):
        export(brittle, ["c"], ["int8"], tmp_path, calibration, evaluation)
    assert {each.name for each in tmp_path.iterdir()} == {
        "baseline-int8.tflite.rejected",
        "baseline-int8.tflite.rejected.json",
    }


def test_the_search_goes_on_to_larger_sets_and_repeats_none() -> None:
    def passes(payload: bytes) -> bool:
        return {b"left", b"conv"} <= set(payload.split(b","))

    network = _Needs()
    found = list(kept_in_float(network, network.errors(), passes))
    assert found == [{"conv", "left"}, {"conv", "left", "right"}]


def test_the_search_finds_nothing_where_nothing_passes() -> None:
    network = _Needs()
    assert list(kept_in_float(network, network.errors(), lambda _: False)) == []
