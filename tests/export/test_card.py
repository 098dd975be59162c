"""The model card: what it says, that it says so of any contract, and that no label breaks it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markdown_it import MarkdownIt

from edgecnn import models
from edgecnn.cli.main import run as edgecnn
from edgecnn.data import imagenet
from edgecnn_export import artifact, keras_file
from edgecnn_export import export as export_module
from edgecnn_export.card import card
from edgecnn_export.dataset import Dataset
from edgecnn_export.export import export
from edgecnn_export.markdown import text
from edgecnn_runtime import container
from edgecnn_runtime.contract import Contract, InputSpec

CARRIED = models.carried("tflite")
HOSTILE = (
    "a | b\n\n# c", "- d", "`e", "```", "<script>", "[x](y)", "**", "_i_", "a_b_", "&lt;", "\\", "\x1b[2J", "\u202eabc",
    "1. g", "> h", "---", "| --- |", "~~s~~", "$x$", "\udc80", "![i](j)", "\r\n===\r\n", "</td>", "",
)  # fmt: skip


@pytest.fixture(scope="module")
def contract() -> Contract:
    return container.read(CARRIED)[0]


def shape(words: str) -> list[str]:
    """The structure of a card: its headings, tables, cells, lists and blocks of code, without what they say."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(words)
    return [each.type for token in tokens for each in (token, *(token.children or []))]


def section(words: str, title: str) -> str:
    return words.partition(f"\n## {title}\n")[2].partition("\n## ")[0].strip()


def test_it_says_what_the_contract_says(contract: Contract) -> None:
    words = card(contract, 1_655_224)
    assert words.startswith("# edge-s-int8.tflite\n\nThe network edge-s in int8, as a TFLite file. It gives a picture ")
    said = [
        *contract.labels,
        contract.payload_sha256,
        *(str(value) for name, value in contract.training.items() if name != "test_accuracy"),
        f"{contract.parity['reference_accuracy']:.2%}",
        *(contract.calibration[each] for each in ("data", "fingerprint", "method")),
        "500 images",
        "10,000 images of cifar10/test",
        contract.parity["fingerprint"],
        "1,655,224 bytes",
        "Author: not said",
        "x86_64",
        *(f"{tool} {version}" for tool, version in contract.tools.items()),
    ]
    assert not [each for each in said if each not in words]
    for result in contract.parity["results"]:
        low, high = result["interval"]
        row = f"{result['accuracy']:.2%} | {result['change']:+.2f} | {low:+.2f} to {high:+.2f} |"
        assert f"| {result['backend']} | {row}" in section(words, "Accuracy")
        assert f"| {result['backend']} | {result['latency']:.3f} |" in section(words, "Speed and size")
        for check in result["checks"]:
            row = f"| {check['name']} | {check['measured']} | {check['allowed']} | passed |"
            assert f"| {result['backend']} {row}" in section(words, "Proof that it is still the same model")
    assert "edgecnn verify edge-s-int8.tflite" in section(words, "Repeat the proof")
    assert "Not for: decisions about people" in section(words, "Intended use and limits")
    assert "Its accuracy is that on cifar10/test only." in section(words, "Intended use and limits")


def test_author_and_licence(contract: Contract) -> None:
    words = card(replace(contract, author="A. Nobody", license="Apache-2.0"), 1)
    assert "\n- Author: A. Nobody\n- Licence: Apache-2.0\n" in words


def test_the_author_of_the_command_line_is_in_contract_and_card(
    baseline_path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    words = ["export", str(baseline_path), "--format", "tflite", "--out", str(tmp_path)]
    assert edgecnn([*words, "--author", "A. | Nobody", "--license", "MIT"]) == 0
    contract, _ = container.read(tmp_path / "baseline-fp32.tflite")
    assert (contract.author, contract.license) == ("A. | Nobody", "MIT")
    assert "\n- Author: A. \\| Nobody\n- Licence: MIT\n" in (tmp_path / "baseline-fp32.tflite.md").read_text()
    capsys.readouterr()
    assert edgecnn(["info", str(tmp_path / "baseline-fp32.tflite")]) == 0
    assert "  author       A. | Nobody\n  licence      MIT\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "author", "licence"),
    [
        ([], "A. Nobody", "MIT"),
        (["--author", "B. Nobody"], "B. Nobody", "MIT"),
        (["--license", "Apache-2.0"], "A. Nobody", "Apache-2.0"),
        (["--author", "B. Nobody", "--license", "Apache-2.0"], "B. Nobody", "Apache-2.0"),
    ],
)
def test_the_command_line_goes_before_what_the_keras_file_says(
    words: list[str],
    author: str,
    licence: str,
    baseline: Any,
    baseline_path: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exported: list[keras_file.About] = []
    monkeypatch.setattr(export_module, "export_model", lambda _, about, *__: exported.append(about))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    about = replace(keras_file.read_about(baseline_path), author="A. Nobody", license="MIT")
    keras_file.save(tmp_path / "mine.keras", baseline, about)
    assert edgecnn(["export", str(tmp_path / "mine.keras"), *words]) == 0
    assert exported == [replace(about, author=author, license=licence)]


def test_without_labels_no_accuracy_is_known(contract: Contract) -> None:
    unknown: dict[str, Any] = {"accuracy": None, "change": None, "interval": None, "worst_classes": {}}
    results = [each | unknown | {"checks": each["checks"][:3]} for each in contract.parity["results"]]
    words = card(
        replace(contract, parity=contract.parity | {"reference_accuracy": None, "results": results}, training={}), 1
    )
    assert section(words, "Accuracy") == (
        "Not known: the labels of the 10,000 images of cifar10/test that it was compared on are not known. Only the "
        "agreement with the Keras model was measured; whether both are right was not."
    )
    assert section(words, "Training") == "Not known: the file does not say."
    assert "Its accuracy is not known" in section(words, "Intended use and limits")
    measured = contract.parity["results"][0]
    assert f"same top label on {measured['agreement']:.2%}" in words
    assert f"{measured['accuracy']:.2%}" in card(contract, 1)
    assert f"{measured['accuracy']:.2%}" not in words


def test_an_export_on_pictures_without_labels(
    baseline_path: Path, calibration: Dataset, evaluation: Dataset, tmp_path: Path
) -> None:
    unlabelled = replace(evaluation, name="mine", labels=np.full(len(evaluation), -1))
    export(baseline_path, ["onnx"], ["int8"], tmp_path, calibration, unlabelled)
    words = (tmp_path / "baseline-int8.onnx.md").read_text()
    assert section(words, "Accuracy").startswith("Not known: the labels of the 300 images of mine ")
    assert "| labels | agrees on 9" in section(words, "Proof that it is still the same model")
    assert "accuracy |" not in words


def test_a_file_that_may_not_be_used_says_so_first(contract: Contract) -> None:
    first, second = contract.parity["results"]
    failed = contract.parity | {"results": [first, second | {"passed": False}]}
    assert card(replace(contract, parity=failed), 1).splitlines()[2].startswith("**Rejected: ")
    assert card(replace(contract, parity={}), 1).splitlines()[2].startswith("**Not proved: ")
    assert "**" not in card(contract, 1)


def test_floats_need_no_calibration(contract: Contract) -> None:
    words = card(replace(contract, precision="fp32", calibration={}), 1)
    assert "Calibration: none; the precision needs none." in words


@pytest.mark.parametrize("hostile", HOSTILE, ids=ascii)
def test_no_words_break_it(hostile: str, contract: Contract) -> None:
    def named(word: str) -> Contract:
        results = [each | {"backend": word, "worst_classes": {word: 1.0}} for each in contract.parity["results"]]
        return replace(
            contract,
            model=word,
            labels=(word, *contract.labels[1:]),
            author=word,
            license=word,
            training={word: word},
            calibration=contract.calibration | {"data": word},
            parity=contract.parity | {"data": word, "results": results},
            rescue={"kept": [word], "because": word},
            tools={word: word},
        )

    words = card(named(hostile), 1)
    words.encode()
    assert all(line.isprintable() for line in words.splitlines())
    plain = [each for each in shape(card(named("plain"), 1)) if each not in {"text", "text_special"}]
    assert [each for each in shape(words) if each not in {"text", "text_special"}] == plain


@pytest.mark.parametrize("words", ["a_b", "two words", "猫", "naïve (7)", "a-b.c/d, e: 5 % - +"])
def test_usual_words_stay_as_they_are(words: str) -> None:
    assert text(words) == words


def test_a_thousand_labels_are_not_all_listed(contract: Contract) -> None:
    words = card(replace(contract, labels=imagenet.labels()), 1)
    assert "tench" in words
    assert ", and 900 more, which the file carries\n" in words


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ("savedmodel", "tf.saved_model.load('edge-s-fp32.savedmodel')"),
        ("keras", "keras.saving.load_model('edge-s-fp32.keras')"),
    ],
)
def test_other_programs_formats_are_used_in_them(form: str, code: str, contract: Contract) -> None:
    words = card(replace(contract, format=form, precision="fp32"), 1)
    assert code in section(words, "How to use it")
    assert "edgecnn classify" not in words
    assert "edgecnn verify" not in words


def python_of(words: str) -> str:
    return words.partition("```python\n")[2].partition("```")[0]


@pytest.mark.parametrize("name", ["baseline-int8.tflite", "baseline-fp32.savedmodel", "baseline-fp32.keras"])
def test_the_python_of_a_card_runs_and_its_proof_is_in_the_file(
    name: str, other_ways: Path, evaluation: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from PIL import Image

    words = (other_ways / f"{name}.md").read_text()
    assert words.startswith(f"# {name}\n")
    picture = other_ways.parent / "cam.jpg"
    Image.fromarray(evaluation.images[0]).save(picture)
    code = python_of(words).replace("cam.jpg", str(picture))
    monkeypatch.chdir(other_ways)
    names: dict[str, Any] = {"images": evaluation.images[:3]}
    if name.endswith("tflite"):
        assert edgecnn(["info", name, "--card"]) == 0
        assert capsys.readouterr().out == words
        assert edgecnn(["verify", name]) == 0
    exec(code, names)  # noqa: S102
    if name.endswith("tflite"):
        assert "Prediction(label=" in capsys.readouterr().out
    else:
        assert names["probabilities"].shape == (3, 10)


def test_a_card_is_of_one_kind(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert edgecnn(["info", str(CARRIED), "--card", "--json"]) == 2
    bare = tmp_path / "bare.tflite"
    data = CARRIED.read_bytes()
    bare.write_bytes(data[: container.parse(data)[1]])
    capsys.readouterr()
    assert edgecnn(["info", str(bare), "--card"]) == 1
    assert capsys.readouterr() == (
        "",
        f"error: {bare} carries no contract, from which its card would be: export it again\n",
    )


def test_the_seal_is_of_all_members() -> None:
    contract = Contract("x", "keras", "fp32", ("a",), InputSpec(1, 1))
    sums = {artifact.sealed(each, contract).payload_sha256 for each in ({"a": b"x"}, {"b": b"x"}, b"x")}
    assert len(sums) == 3
