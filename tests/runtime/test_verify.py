"""Golden pictures: sound machines pass, in every interpreter, and each way to be wrong is found and named."""

from __future__ import annotations

import base64
import io
import json
import math
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgecnn import models
from edgecnn.cli.main import run
from edgecnn_runtime import classifier, container, image, sheet, tolerance
from edgecnn_runtime import verify as verifying
from edgecnn_runtime.backends import installed, open_backend
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.contract import FILTERS, Contract, Golden, InputSpec
from edgecnn_runtime.errors import ModelFileError, UsageError
from edgecnn_runtime.verify import verify

if TYPE_CHECKING:
    from tests.runtime.conftest import Script

CARRIED = [models.carried(form) for form in ("tflite", "onnx")]
IMAGES = np.random.default_rng(3).integers(0, 256, (4, 4, 4, 3), dtype=np.uint8)

Rows = tuple[tuple[float, ...], ...]
Change = Callable[[Contract], Contract]


def rows(probabilities: npt.NDArray[np.float32]) -> Rows:
    return tuple(tuple(round(float(each), 7) for each in row) for row in probabilities)


def rewritten(source: Path, target: Path, change: Change, payload: Callable[[bytes], bytes] = bytes) -> Path:
    """A sound file with another contract, or another model under the same one."""
    data = source.read_bytes()
    contract, size = container.parse(data)
    target.write_bytes(container.embed(payload(data[:size]), change(contract)))
    return target


def golden(contract: Contract, **changes: Any) -> Contract:
    assert contract.golden
    return replace(contract, golden=replace(contract.golden, **changes))


@pytest.fixture
def proved(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model with four golden pictures, proved on a PC that this computer passes for."""
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(tolerance, "_has_avx2", lambda: True)
    opened = Classifier.open(model)
    answers = {opened.backend.name: rows(opened.scores(IMAGES))}
    images = base64.b64encode(sheet.pack(IMAGES)).decode()
    proof = Golden(len(IMAGES), images, next(iter(answers.values())), answers)
    return rewritten(
        model,
        tmp_path / model.name,
        lambda each: replace(each, golden=proof, tools={"machine": platform.machine()}),
    )


def test_a_sound_file_is_verified(proved: Path) -> None:
    result = verify(proved)
    assert result.passed
    assert result.own_answers
    assert (result.file, result.pictures, result.mismatches) == (str(proved), 4, ())
    assert result.machine == platform.machine()
    assert result.difference < 1e-6 < result.tolerance == (1 / 256 if "int8" in proved.name else 1e-4)
    assert 0 < result.seconds < 60


@pytest.mark.parametrize("threads", ["1", "2"])
@pytest.mark.parametrize("backend", ["litert", "tflite-runtime", "onnxruntime"])
def test_the_carried_files_are_verified_in_every_interpreter(backend: str, threads: str, python: Script) -> None:
    file = CARRIED[backend == "onnxruntime"]
    if backend not in installed(file.suffix[1:]):
        pytest.skip(f"{backend} is not installed")
    ended = python("-m", "edgecnn", "verify", file, "--backend", backend, "--threads", threads)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.startswith(
        f"verified {file}: 16 of 16 pictures give the answers seen at export, largest difference "
    )
    assert f"by {backend} " in ended.stdout
    assert f"on {platform.machine()}, " in ended.stdout


@pytest.mark.speed
def test_it_takes_less_than_two_seconds_from_cold(python: Script) -> None:
    times = []
    for _ in range(3):  # the best of three: other programs run too
        begun = time.perf_counter()
        assert python("-m", "edgecnn", "verify", CARRIED[0]).returncode == 0
        times.append(time.perf_counter() - begun)
        if times[-1] < 2:
            break
    assert min(times) < 2


@pytest.mark.parametrize("file", CARRIED)
def test_golden_pictures_take_at_most_64_kb(file: Path) -> None:
    contract, _ = container.read(file)
    text = json.loads(contract.to_json())["golden"]
    assert len(json.dumps(text, separators=(",", ":"))) <= 64 * 1024


class Slightly:
    """A fake, for no installed interpreter computes wrongly: this one does, a little, on the third picture."""

    def __init__(self, backend: Any, error: float) -> None:
        self.name = backend.name
        self._backend, self._error = backend, error

    def scores(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        scores: npt.NDArray[np.float32] = self._backend.scores(pixels)
        scores[2, 1] += np.float32(self._error)
        return scores


@pytest.mark.parametrize("error", [1.5 / 256, 0.9, math.nan, math.inf])
def test_an_interpreter_that_computes_wrongly_is_found(
    proved: Path, error: float, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(classifier, "open_backend", lambda *arguments: Slightly(open_backend(*arguments), error))
    result = verify(proved)
    assert not result.passed
    (wrong,) = result.mismatches
    assert wrong.picture == 3
    assert wrong.decoded
    assert wrong.difference == result.difference == pytest.approx(error if math.isfinite(error) else math.inf, abs=1e-5)
    labels = ("red", "green", "blue")
    golden = container.read(proved)[0].golden
    assert golden
    assert wrong.expected == labels[int(np.argmax(next(iter(golden.exported.values()))[2]))]
    assert wrong.got == ("green" if error > 0.5 or math.isnan(error) else wrong.expected)

    assert run(["verify", str(proved)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"FAILED {proved}: 3 of 4 pictures")
    assert f"  picture 3: {wrong.expected} at export, {wrong.got} here, differs by {wrong.difference:.1e}\n" in out
    assert err.startswith(f"error: {proved}: {result.backend} does not give the answers seen at export")
    assert len(err.splitlines()) == 1

    assert run(["verify", str(proved), "--json"]) == 1
    document = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert document["passed"] is False
    assert document["mismatches"][0]["picture"] == 3
    assert (document["difference"] is None) == (not math.isfinite(error))


def test_one_step_of_256_passes_in_int8_and_not_in_floats(proved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classifier, "open_backend", lambda *arguments: Slightly(open_backend(*arguments), 1 / 256))
    assert verify(proved).passed == ("int8" in proved.name)


@pytest.mark.parametrize("file", CARRIED)
def test_other_weights_under_the_same_contract_are_found(file: Path, tmp_path: Path) -> None:
    if not installed(file.suffix[1:]):
        pytest.skip(f"no interpreter for {file.name} is installed")

    def damage(payload: bytes) -> bytes:
        middle = len(payload) // 2
        return payload[:middle] + b"\x7f" * 2000 + payload[middle + 2000 :]

    other = rewritten(file, tmp_path / file.name, lambda each: each, damage)
    result = verify(other)
    assert not result.passed
    assert result.difference > 1 / 8  # which is allowed to other processors
    assert all(each.decoded for each in result.mismatches)


def test_an_answer_that_differs_is_found(proved: Path, tmp_path: Path) -> None:
    def change(contract: Contract) -> Contract:
        assert contract.golden
        ((backend, answers),) = contract.golden.exported.items()
        changed = (answers[0], answers[1][::-1], *answers[2:])
        return golden(contract, exported={backend: changed})

    result = verify(rewritten(proved, tmp_path / f"changed-{proved.name}", change))
    assert [each.picture for each in result.mismatches] == [2]


def test_swapped_colours_are_found_and_the_decoder_is_named(
    proved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(image, "rgb", lambda picture: Image.fromarray(np.asarray(picture)[..., ::-1].copy()))
    assert run(["verify", str(proved)]) == 1
    out, err = capsys.readouterr()
    assert out.startswith(f"FAILED {proved}: 0 of 4 pictures")
    assert out.count("; the image decoder changed its pixels") == 4
    assert "install another version of Pillow" in err


def test_a_pixel_that_changes_no_answer_is_found(proved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def one_off(picture: Image.Image) -> Image.Image:
        pixels = np.array(picture)
        pixels[0, pixels.shape[1] // 2, 0] ^= 1
        return Image.fromarray(pixels)

    monkeypatch.setattr(image, "rgb", one_off)
    monkeypatch.setitem(tolerance.TOLERANCES, "fp32", (1.0, 1.0))
    assert not any(each.decoded for each in verify(proved).mismatches)
    assert len(verify(proved).mismatches) == 4


def test_a_crop_beside_the_centre_is_found(proved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    centre = image._centre
    monkeypatch.setattr(
        image,
        "_centre",
        lambda *arguments: tuple(side + shift for side, shift in zip(centre(*arguments), (1, 0, 1, 0), strict=True)),
    )
    assert {2, 4} == {each.picture for each in verify(proved).mismatches if not each.decoded}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_a_frame_leaves_no_trace(name: str, fit: str) -> None:
    rng = np.random.default_rng(5)
    for height, width in ((32, 32), (7, 30), (61, 18)):
        spec = InputSpec(height, width, name, fit)
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        for framed in (False, True):
            file = Image.open(io.BytesIO(verifying._picture(picture, framed, spec)))
            assert file.width == width + (16 if framed and fit == "crop" else 0)
            assert np.array_equal(image.pixels(file, spec), picture)


def test_an_interpreter_that_was_not_there_at_export_is_allowed_more(int8: Path, tmp_path: Path) -> None:
    file = CARRIED[0]

    def unseen(contract: Contract) -> Contract:
        assert contract.golden
        return golden(contract, exported={"another 1.0": next(iter(contract.golden.exported.values()))})

    result = verify(rewritten(file, tmp_path / "unseen.tflite", unseen))
    assert (result.passed, result.own_answers, result.answers_of) == (True, False, "another 1.0")
    assert result.tolerance == 1 / 8


def test_another_version_of_an_interpreter_has_its_own_answers(proved: Path, tmp_path: Path) -> None:
    def earlier(contract: Contract) -> Contract:
        assert contract.golden
        ((backend, answers),) = contract.golden.exported.items()
        wrong = tuple(each[::-1] for each in answers)
        return golden(contract, exported={"another 1.0": wrong, f"{backend.split()[0]} 0.0.1": answers})

    result = verify(rewritten(proved, tmp_path / f"earlier-{proved.name}", earlier))
    assert (result.passed, result.own_answers) == (True, True)
    assert result.answers_of == f"{result.backend.split()[0]} 0.0.1" != result.backend


@pytest.mark.parametrize("backend", ["litert", "tflite-runtime"])
def test_each_tflite_interpreter_stands_in_for_the_other(backend: str, tmp_path: Path, python: Script) -> None:
    """A file proved where only one was installed, on a device that has only the other."""
    if len(installed("tflite")) < 2:
        pytest.skip("needs both")

    def without(contract: Contract) -> Contract:
        assert contract.golden
        kept = {name: each for name, each in contract.golden.exported.items() if not name.startswith(backend)}
        return golden(contract, exported=kept)

    file = rewritten(CARRIED[0], tmp_path / "half.tflite", without)
    ended = python("-m", "edgecnn", "verify", file, "--backend", backend)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "the file was not run in it at export" in ended.stdout


@pytest.mark.parametrize(
    ("backend", "precision", "exported_on", "here", "allowed"),
    [
        ("litert 2.3.0", "int8", "x86_64", "x86_64", 1 / 256),
        ("litert 2.3.0", "int8", "x86_64", "aarch64", 1 / 256),
        ("litert 2.3.0", "dynamic", "x86_64", "x86_64", 1 / 256),
        ("litert 2.3.0", "dynamic", "x86_64", "aarch64", 1 / 16),
        ("litert 2.3.0", "fp16", "x86_64", "aarch64", 1e-4),
        ("tflite-runtime 2.14.0", "int8", "x86_64", "x86_64", 1 / 8),
        ("onnxruntime 1.32.0", "int8", "x86_64", "aarch64", 1 / 8),
        ("onnxruntime 1.18.1", "int8", "x86_64", "x86_64", 1 / 256),
        ("onnxruntime 1.32.0", "fp16", "x86_64", "x86_64", 1e-4),
        ("onnxruntime 1.32.0", "fp16", "aarch64", "aarch64", 1 / 32),
        ("onnxruntime 1.32.0", "fp16", None, "x86_64", 1 / 32),
        ("onnxruntime 1.32.0", "fp32", None, "aarch64", 5e-4),
        ("onnxruntime 1.32.0", "int8", "x86_64", "x86_64 of 2010", 1 / 8),
        ("litert 2.3.0", "int8", "x86_64", "x86_64 of 2010", 1 / 256),
    ],
)
def test_other_code_is_allowed_more(
    backend: str,
    precision: str,
    exported_on: str | None,
    here: str,
    allowed: float,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: here.removesuffix(" of 2010"))
    monkeypatch.setattr(tolerance, "_has_avx2", lambda: here == "x86_64")
    tools = {"machine": exported_on} if exported_on else {}
    contract = Contract("any", "any", precision, ("a", "b"), InputSpec(4, 4), tools=tools)
    seen = "onnxruntime 1.32.0" if backend.startswith("onnx") else "litert 2.3.0"
    assert tolerance.tolerance(contract, backend, seen) == allowed


def test_a_damaged_copy_is_not_a_wrong_interpreter(proved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = bytearray(proved.read_bytes())
    data[100] ^= 1
    proved.write_bytes(data)
    assert run(["verify", str(proved)]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert "is damaged (its checksum does not agree); copy it again" in err
    assert "answers" not in err


def test_a_file_without_golden_pictures(model: Path) -> None:
    with pytest.raises(ModelFileError, match=r"carries no pictures to verify it with; export it again"):
        verify(model)


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 3},
        {"count": 0},
        {"count": -4},
        {"count": 10**9},
        {"images": "bm90IGEgc2hlZXQ="},
        {"images": "%"},
        {"exported": {}},
        {"exported": {"": ()}},
        {"exported": {"litert": ((0.1, 0.9),) * 4}},
        {"exported": {"litert": ((0.1, 0.2, 0.7), (1.0,)) * 2}},
        {"exported": {"litert": (("a", "b", "c"),) * 4}},
        {"exported": {"litert": ((math.nan, 0.0, 1.0),) * 4}},
        {"exported": {"litert": ((1e39, 0.0, 1.0),) * 4}},
        {"exported": {"litert": ((10**400, 0, 0),) * 4}},
        {"exported": {"litert": (({}, [], None),) * 4}},
    ],
)
def test_golden_pictures_that_are_none(proved: Path, changes: dict[str, Any], tmp_path: Path) -> None:
    other = rewritten(proved, tmp_path / f"odd-{proved.name}", lambda each: golden(each, **changes))
    with pytest.raises(ModelFileError, match=r"odd-.*; export it again$"):
        verify(other)


def test_a_file_that_was_refused_at_export(proved: Path, tmp_path: Path) -> None:
    results = [{"backend": "x 1", "passed": True}, {"backend": "y 1", "passed": False}]
    for parity, refused in (({"results": results}, True), ({"results": results[:1]}, False), ({"results": 3}, True)):
        other = rewritten(proved, tmp_path / f"other-{proved.name}", lambda each: replace(each, parity=parity))  # noqa: B023
        if refused:
            with pytest.raises(ModelFileError, match=r"other-.*; export it again$"):
                verify(other)
        else:
            assert verify(other).passed


def test_a_decoder_that_refuses_a_picture_is_told_with_the_file(
    proved: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(verifying, "_picture", lambda *_: b"no picture")
    assert run(["verify", str(proved)]) == 1
    assert capsys.readouterr().err.startswith(f"error: {proved}: ")


def test_one_bad_file_does_not_stop_the_others(
    proved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(tmp_path / "none.onnx"), str(proved), "--json"]) == 1
    out, err = capsys.readouterr()
    document = json.loads(out)
    assert (document["file"], document["passed"], document["pictures"]) == (str(proved), True, 4)
    assert err == f"error: {tmp_path}/none.onnx: no such file; check the path\n"


def test_wrong_usage(proved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for extra in (["--threads", "0"], ["--threads", "2147483648"], ["--backend", "tensorrt"], ["--quick"]):
        assert run(["verify", str(proved), *extra]) == 2
        assert capsys.readouterr().err.startswith("error: ")
    with pytest.raises(UsageError, match="threads must be at least 1 and at most 1024, not 0"):
        verify(proved, threads=0)


def test_a_proof_that_nobody_reads_to_its_end_is_none(proved: Path) -> None:
    words = f"set -o pipefail; '{sys.executable}' -m edgecnn verify none.onnx '{proved}' | true"
    ended = subprocess.run(["bash", "-c", words], capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
