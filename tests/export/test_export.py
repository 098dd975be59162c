"""Export: what is written, what is refused, and that nothing half-written stays."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx as onnx_package
import pytest
from ai_edge_litert.interpreter import Interpreter  # works beside TensorFlow; tflite-runtime does not

from edgecnn import models
from edgecnn.cli.main import run as edgecnn
from edgecnn.data import cifar10, samples
from edgecnn.data.cifar10 import LABEL_NAMES
from edgecnn_export import keras_file, onnx, tflite
from edgecnn_export.comparison import Row
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import export
from edgecnn_export.exporter import Exporter
from edgecnn_export.options import Listener, Options
from edgecnn_export.parity import Exported
from edgecnn_export.reference import reference_scores
from edgecnn_runtime import container, sheet
from edgecnn_runtime.contract import Contract, InputSpec
from edgecnn_runtime.errors import ExportError, ModelFileError, ParityError, UsageError

TINY = Path(__file__).parents[1] / "runtime" / "data" / "tiny-int8.tflite"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_names_and_nothing_else(baseline_path: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    export(baseline_path, ["tflite", "onnx"], ["int8"], out, calibration, evaluation)
    assert names(out) == [
        "baseline-int8.onnx",
        "baseline-int8.onnx.json",
        "baseline-int8.onnx.md",
        "baseline-int8.tflite",
        "baseline-int8.tflite.json",
        "baseline-int8.tflite.md",
    ]


def test_the_golden_images_are_spread_over_all(
    baseline: Any, baseline_path: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path
) -> None:
    export(baseline_path, ["onnx"], ["fp32"], tmp_path, calibration, evaluation)
    golden = container.read(tmp_path / "baseline-fp32.onnx")[0].golden
    assert golden
    chosen = np.linspace(0, 299, 16).astype(int)
    assert np.array_equal(sheet.unpack_text(golden.images, golden.count, 32, 32), evaluation.images[chosen])
    expected = reference_scores(baseline, evaluation)[chosen]
    assert np.allclose(golden.reference, expected, rtol=0, atol=1e-6)
    for answers in golden.exported.values():
        assert np.allclose(answers, expected, rtol=0, atol=1e-4)


def test_integers_come_last(
    baseline_path: Path,
    calibration: Dataset,
    evaluation: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[tuple[str, list[str]]] = []

    def note(_: Exporter, form: str, precisions: list[str]) -> list[ExportError]:
        asked.append((form, list(precisions)))
        return []

    monkeypatch.setattr(Exporter, "export", note)
    wanted = ["int16x8", "int8", "fp16", "fp32"]
    export(baseline_path, ["tflite", "onnx"], wanted, tmp_path, calibration, evaluation)
    assert asked == [("tflite", ["fp32", "fp16", "int8", "int16x8"]), ("onnx", ["fp32", "fp16", "int8"])]


def test_the_same_calibration_gives_the_same_file(baseline: Any, calibration: Dataset) -> None:
    first, second = (tflite.convert(baseline, "int8", calibration.images) for _ in range(2))
    assert first == second
    # tf2onnx numbers its names on and on within a process, and orders by them: only the numbers are compared.
    first, second = (onnx.convert(baseline, "int8", calibration.images) for _ in range(2))
    tensors = [
        sorted(onnx_package.numpy_helper.to_array(each).tobytes() for each in proto.graph.initializer)
        for proto in map(onnx_package.load_from_string, (first, second))
    ]
    assert tensors[0] == tensors[1]


def test_int8_tflite_takes_pixels_as_they_are(baseline: Any, calibration: Dataset) -> None:
    interpreter = Interpreter(model_content=tflite.convert(baseline, "int8", calibration.images))
    (given,), (wanted,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert (given["dtype"], given["quantization"], list(given["shape"])) == (
        np.uint8,
        (1.0, 0),
        [1, 32, 32, 3],
    )
    assert (wanted["dtype"], wanted["quantization"]) == (np.uint8, (1 / 256, 0))
    assert not any(tensor["dtype"] == np.float32 for tensor in interpreter.get_tensor_details())


@pytest.mark.parametrize("precision", ["fp32", "fp16", "dynamic"])
def test_float_tflite_takes_pixels_as_they_are(baseline: Any, precision: str) -> None:
    interpreter = Interpreter(model_content=tflite.convert(baseline, precision, None))
    assert interpreter.get_input_details()[0]["dtype"] == np.uint8
    assert interpreter.get_output_details()[0]["dtype"] == np.float32


@pytest.mark.parametrize("precision", ["fp32", "fp16", "dynamic", "int8"])
def test_onnx_names_types_and_free_batch(baseline: Any, calibration: Dataset, precision: str) -> None:
    proto = onnx_package.load_from_string(onnx.convert(baseline, precision, calibration.images))
    onnx_package.checker.check_model(proto, full_check=True)
    (given,), (wanted,) = proto.graph.input, proto.graph.output
    types = onnx_package.TensorProto
    assert (given.name, given.type.tensor_type.elem_type) == ("pixels", types.UINT8)
    assert (wanted.name, wanted.type.tensor_type.elem_type) == ("probabilities", types.FLOAT)
    assert given.type.tensor_type.shape.dim[0].dim_param == "N"
    assert next(each.version for each in proto.opset_import if each.domain == "") >= 17


def test_a_file_that_is_another_model_is_refused_and_the_rest_is_kept(
    other: Any,
    baseline_path: Path,
    calibration: Dataset,
    evaluation: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network = tflite.TFLite
    monkeypatch.setattr(tflite, "TFLite", lambda _, *rest: network(other, *rest))
    reported = []

    class Note(Listener):
        def compared(self, path: Path, rows: list[Row]) -> None:
            reported.append((path.name, any(row.failures for row in rows)))

    with pytest.raises(ParityError, match=r"baseline-fp32\.tflite: values: largest difference .*; at most 1e-04"):
        export(baseline_path, ["tflite", "onnx"], ["fp32"], tmp_path, calibration, evaluation, Options(), Note())
    assert reported == [("baseline-fp32.tflite.rejected", True), ("baseline-fp32.onnx", False)]
    assert names(tmp_path) == [
        "baseline-fp32.onnx",
        "baseline-fp32.onnx.json",
        "baseline-fp32.onnx.md",
        "baseline-fp32.tflite.rejected",
        "baseline-fp32.tflite.rejected.json",
    ]


def test_an_interrupted_export_leaves_the_file_that_was_there(
    baseline_path: Path,
    calibration: Dataset,
    evaluation: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "baseline-fp32.onnx").write_bytes(b"yesterday's")
    monkeypatch.setattr(onnx.Onnx, "convert", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        export(baseline_path, ["onnx"], ["fp32"], tmp_path, calibration, evaluation)
    assert names(tmp_path) == ["baseline-fp32.onnx"]
    assert (tmp_path / "baseline-fp32.onnx").read_bytes() == b"yesterday's"


def test_an_interpreter_that_crashes_fails_the_export(
    baseline_path: Path,
    calibration: Dataset,
    evaluation: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "site"))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "onnxruntime.py").write_text("import os\nos.abort()\n")
    out = tmp_path / "out"
    with pytest.raises(ExportError, match=r"onnxruntime failed on .*baseline-fp32\.onnx.*: killed by SIGABRT"):
        export(baseline_path, ["onnx"], ["fp32"], out, calibration, evaluation)
    assert names(out) == []


def test_a_file_that_cannot_be_made_does_not_keep_the_others_from_being_made(
    baseline_path: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert = onnx.Onnx.convert

    def failing(network: onnx.Onnx, precision: str) -> bytes:
        if precision == "fp16":
            raise ExportError("no halves today")
        return convert(network, precision)

    monkeypatch.setattr(onnx.Onnx, "convert", failing)
    with pytest.raises(ExportError, match=r"^no halves today$"):
        export(baseline_path, ["onnx", "tflite"], ["fp32", "fp16", "dynamic"], tmp_path, calibration, evaluation)
    made = {f"baseline-{precision}.tflite" for precision in ("fp32", "fp16", "dynamic")}
    made |= {"baseline-fp32.onnx", "baseline-dynamic.onnx"}
    assert {name for name in names(tmp_path) if name.endswith(("onnx", "tflite"))} == made


def test_a_network_whose_training_diverged(baseline: Any, evaluation: Dataset) -> None:
    import keras

    diverged = keras.models.clone_model(baseline)
    diverged.set_weights([weight * np.nan for weight in baseline.get_weights()])
    with pytest.raises(ExportError, match=r" gives no numbers \(NaN\): its training has diverged"):
        reference_scores(diverged, evaluation)


@pytest.mark.parametrize(
    "promise", [{"precision": "int4"}, *({"parity": {"max_drop": drop}} for drop in ("half", math.nan, -1, 101))]
)
def test_a_contract_of_which_nobody_knows_what_it_allows(promise: dict[str, Any], tmp_path: Path) -> None:
    contract = replace(container.read(TINY)[0], **promise)
    whole = TINY.read_bytes()
    path = tmp_path / "odd.tflite"
    path.write_bytes(container.embed(whole[: container.parse(whole)[1]], contract))
    with pytest.raises(ModelFileError, match=r"odd\.tflite: is in .* nobody knows what that means; export it again"):
        Exported.open(path)


def test_a_network_that_guesses_is_refused(
    baseline: Any, calibration: Dataset, evaluation: Dataset, tmp_path: Path
) -> None:
    import keras

    guessing = keras.models.clone_model(baseline)
    about = keras_file.About("guess", evaluation.label_names, InputSpec(32, 32))
    keras_file.save(tmp_path / "guess.keras", guessing, about)
    with pytest.raises(ParityError, match="train it first"):
        export(tmp_path / "guess.keras", ["onnx"], ["fp32"], tmp_path / "out", calibration, evaluation)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("formats", "precisions"),
    [(["tflite", "onx"], ["int8"]), (["onnx"], ["fp32", "fp23"]), (["h5"], ["fp32"])],
)
def test_unknown_format_or_precision(
    baseline_path: Path,
    calibration: Dataset,
    evaluation: Dataset,
    tmp_path: Path,
    formats: list[str],
    precisions: list[str],
) -> None:
    with pytest.raises(UsageError, match="is not known; formats: tflite, onnx"):
        export(baseline_path, formats, precisions, tmp_path / "out", calibration, evaluation)
    assert not (tmp_path / "out").exists()


def test_calibrating_on_the_evaluation_images_is_refused(
    baseline_path: Path, evaluation: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(ExportError, match="has 0 images beside those of cifar10/test-300; calibration needs"):
        export(baseline_path, ["onnx"], ["int8"], tmp_path, evaluation, evaluation)


def test_other_labels_are_refused(
    baseline_path: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path
) -> None:
    renamed = Dataset("renamed", evaluation.images, evaluation.labels, tuple("abcdefghij"))
    with pytest.raises(ExportError, match="labels of renamed"):
        export(baseline_path, ["onnx"], ["fp32"], tmp_path, calibration, renamed)


def test_the_keras_file_is_still_a_keras_file(baseline: Any, baseline_path: Path, tmp_path: Path) -> None:
    import keras

    about = keras_file.read_about(baseline_path)
    keras_file.save(tmp_path / "again.keras", baseline, about)
    assert keras_file.read_about(tmp_path / "again.keras") == about
    assert names(tmp_path) == ["again.keras"]
    plain = keras.saving.load_model(tmp_path / "again.keras")
    for weight, expected in zip(plain.get_weights(), baseline.get_weights(), strict=True):
        assert (weight == expected).all()


@pytest.mark.parametrize("problem", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_keras_file_that_is_not_finished_leaves_the_old_one(
    problem: BaseException, baseline: Any, baseline_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(path: Path, members: dict[str, bytes]) -> None:
        path.write_bytes(next(iter(members.values()))[:10])
        raise problem

    (tmp_path / "again.keras").write_bytes(b"yesterday's")
    monkeypatch.setattr(keras_file, "write", half)
    with pytest.raises((KeyboardInterrupt, OSError)):
        keras_file.save(tmp_path / "again.keras", baseline, keras_file.read_about(baseline_path))
    assert names(tmp_path) == ["again.keras"]
    assert (tmp_path / "again.keras").read_bytes() == b"yesterday's"


def bad_source(kind: str, folder: Path) -> Path:
    path = folder / "bad.keras"
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("this is not a model")
    elif kind == "zip":
        zipfile.ZipFile(path, "w").writestr("hello.txt", "hello")
    elif kind == "half":
        with zipfile.ZipFile(path, "w") as archive:
            about = {"name": "x", "labels": LABEL_NAMES, "input": {"height": 32, "width": 32}, "training": {}}
            archive.writestr("edgecnn.json", json.dumps(about))
    elif kind == "folder":
        path.mkdir()
    return path


@pytest.mark.parametrize("kind", ["missing", "empty", "text", "zip", "half", "folder"])
@pytest.mark.parametrize("verb", ["export", "parity"])
def test_bad_sources_get_one_line(kind: str, verb: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = [verb, str(bad_source(kind, tmp_path))]
    words += ["--out", str(tmp_path / "out")] if verb == "export" else ["--quick", "x.tflite"]
    assert edgecnn(words) == 1
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert not (tmp_path / "out").exists()


def test_an_unwritable_folder_gets_one_line(
    baseline_path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    assert edgecnn(["export", str(baseline_path), "--out", str(tmp_path / "file" / "x")]) == 1
    assert f"error: {tmp_path}/file" in capfd.readouterr().err


def test_the_command_line_as_its_user_types_it(baseline_path: Path, tmp_path: Path) -> None:
    environment = os.environ | {"XDG_CACHE_HOME": str(tmp_path / "none")}

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "edgecnn", *words],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    out = tmp_path / "out"
    exported = command("export", str(baseline_path), "--int8", "--format", "onnx", "--out", str(out))
    assert (exported.returncode, exported.stderr) == (0, "")
    assert "calibration: 500 images of cifar10/train-500; proof: 1,000 of cifar10/test-1000" in exported.stdout
    file = out / "baseline-int8.onnx"
    compared = command("parity", str(baseline_path), str(file), "--quick", "--json")
    assert (compared.returncode, compared.stderr) == (0, "")
    (row,) = json.loads(compared.stdout)["rows"]
    assert row["passed"]
    contract, _ = container.read(file)
    assert contract.parity["results"][0]["accuracy"] == row["accuracy"]


def test_floats_need_no_images_to_calibrate_on(
    baseline_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(samples, "calibration", lambda: pytest.fail("loaded"))
    monkeypatch.setenv("EDGECNN_DATA", str(tmp_path / "none"))
    out = tmp_path / "out"
    export = ["export", str(baseline_path), "--format", "onnx", "--out", str(out)]
    assert edgecnn(export) == 0
    assert capfd.readouterr().out.startswith("proof: 1,000 of cifar10/test-1000\n")
    assert (out / "baseline-fp32.onnx").exists()


def test_a_network_that_was_trained_here_goes_by_its_name(
    baseline_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EDGECNN_DATA", str(tmp_path / "none"))
    Path("models").mkdir()
    shutil.copy(baseline_path, "models/baseline.keras")
    assert edgecnn(["export", "baseline", "--format", "onnx"]) == 0
    assert Path("models/baseline-fp32.onnx").exists()
    capfd.readouterr()
    for word, why in (("lenet5", "there are no ImageNet weights for lenet5"), ("baselin", "no network is called")):
        assert edgecnn(["export", word]) == 2
        assert why in capfd.readouterr().err


def test_options_that_would_do_nothing_are_refused(
    baseline_path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for words, why in (
        (["--calibration", "photos"], "--calibration sets the ranges of int8 files; add --int8"),
        (["--calibration-method", "entropy"], "--calibration-method is how int8 ONNX files are made; add --int8"),
        (["--calibration-method", "entropy", "--int8", "--format", "tflite"], "--calibration-method is how int8 ONNX"),
        (["--debug-layers"], "--debug-layers is about int8 files; add --int8"),
    ):
        assert edgecnn(["export", str(baseline_path), "--out", str(tmp_path / "out"), *words]) == 2
        assert capfd.readouterr().err.startswith(f"error: {why}")
    assert not (tmp_path / "out").exists()


def test_parity_is_on_all_test_images_or_on_none(
    baseline_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = samples.test()
    some = whole.subset("cifar10/test", np.arange(0, len(whole), 5))
    monkeypatch.setattr(cifar10, "load", lambda _: cifar10.Cifar10(some, some))
    words = ["--format", "tflite", "--precision", "fp32", "--out", str(tmp_path)]
    assert edgecnn(["export", str(baseline_path), *words]) == 0
    capfd.readouterr()
    command = ["parity", str(baseline_path), str(tmp_path / "baseline-fp32.tflite")]
    assert edgecnn([*command, "--json"]) == 0
    found = json.loads(capfd.readouterr().out)
    assert (found["data"], found["images"], found["fingerprint"]) == ("cifar10/test", 200, some.fingerprint)
    monkeypatch.undo()
    monkeypatch.setenv("EDGECNN_DATA", str(tmp_path / "none"))
    assert edgecnn(command) == 1
    assert "edgecnn data cifar10" in capfd.readouterr().err


def test_parity_ends_with_status_1_when_a_file_is_another_model(
    other: Any, baseline_path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    about = keras_file.read_about(baseline_path)
    contract = Contract("baseline", "onnx", "fp32", about.labels, about.input, training=about.training)
    impostor = tmp_path / "impostor.onnx"
    impostor.write_bytes(container.embed(onnx.convert(other, "fp32", None), contract))
    assert edgecnn(["parity", str(baseline_path), str(impostor), "--quick"]) == 1
    output = capfd.readouterr()
    header, row = (re.split(r"  +", line) for line in output.out.splitlines()[1:])
    assert header[:5] == ["file", "format", "precision", "interpreter", "verdict"]
    assert row[:3] + row[4:5] == ["impostor.onnx", "onnx", "fp32", "FAILED"]
    assert header[5:] == ["size kB", "accuracy", "change, points (95 %)", "agreement", "largest diff.", "ms"]
    assert "error: not the same model: impostor.onnx: values: largest difference" in output.err


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"labels": tuple("abcdefghij")}, "labels"),
        ({"model": "deeper"}, "name"),
        ({"input": InputSpec(32, 32, fit="stretch")}, "input"),
        ({"training": {"data": "yesterday's"}}, "training"),
    ],
)
def test_parity_refuses_what_says_that_it_was_made_of_another_model(
    change: dict[str, Any], what: str, baseline_path: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    about = keras_file.read_about(baseline_path)
    whole = models.carried("onnx").read_bytes()
    contract = replace(
        container.parse(whole)[0], model=about.name, labels=about.labels, input=about.input, training=about.training
    )
    file = tmp_path / "other.onnx"
    file.write_bytes(container.embed(whole[: container.parse(whole)[1]], replace(contract, **change)))
    assert edgecnn(["parity", str(baseline_path), str(file), "--quick"]) == 1
    message = f"error: {file} has another {what} than {baseline_path}: it is not an export of this model\n"
    assert capfd.readouterr().err == message.replace("another labels", "other labels")
