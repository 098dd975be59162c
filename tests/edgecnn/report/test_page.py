"""What stands on the page is what was trained, exported and measured."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgecnn.cli.main import run as edgecnn
from edgecnn.metrics import surest
from edgecnn.report.answers import Evidence
from edgecnn.zoo.layer_table import layer_table
from edgecnn_export import keras_file
from edgecnn_export.card_use import file_name
from edgecnn_runtime import container
from edgecnn_runtime.backends import installed
from tests.edgecnn.report.read import Page, pixels

SECTIONS = ("recipe", "curves", "classes", "predictions", "parity", "differing", "benchmark", "layers", "cards")


def metrics(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "metrics.json").read_text())
    return found


def rows(page: Page, section: str) -> dict[str, list[str]]:
    """Rows by their first cell."""
    return {cells[0]: cells[1:] for cells in page.rows[section]}


def test_one_file_that_asks_for_nothing(page: Page) -> None:
    assert page.path.stat().st_size < 3_000_000
    assert not {"script", "iframe", "object", "embed", "base", "form"} & {tag for tag, _ in page.tags}
    assert sum(tag == "link" for tag, _ in page.tags) == 1  # an empty icon, or the browser would ask for one
    for tag, attributes in page.tags:
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, attributes)
            if name in ("src", "href", "srcset", "data", "poster"):
                assert value.startswith(("data:", "#")), (tag, value)
            assert "://" not in value, (tag, value)
    assert not re.search(r"url\((?!#)|@import", page.path.read_text())
    policies = [each["content"] for tag, each in page.tags if tag == "meta" and "http-equiv" in each]
    assert policies == ["default-src 'none'; img-src data:; style-src 'unsafe-inline'"]


def test_contents_lead_to_every_section(page: Page) -> None:
    ids = [each["id"] for _, each in page.tags if "id" in each]
    assert len(ids) == len(set(ids))
    linked = [each["href"][1:] for tag, each in page.tags if tag == "a"]
    assert linked == ["n1", *(f"n1-{name}" for name in SECTIONS)]
    assert set(linked) <= set(ids)
    assert not any(each.get("class") == "missing" for _, each in page.tags), "all is there"


def test_overview(page: Page, folder: Path, evidence: Evidence) -> None:
    said = page.text["n1"]
    accuracy = metrics(folder)["test_accuracy"]
    assert f"Accuracy {accuracy:.2%} " in said
    assert f"{round(1000 * accuracy)} of 1,000 images, the Keras model" in said
    assert "Parameters 226,390 469,000 multiply-adds a picture" in said
    size = container.parse((folder / "baseline-int8.tflite").read_bytes())[1]
    assert f"Smallest file {size / 1000:,.1f} kB baseline-int8.tflite" in said
    assert f"✓ The same model All {len(evidence.rows)} comparisons with the Keras model passed here." in said


def test_recipe(page: Page, folder: Path) -> None:
    found, text = rows(page, "n1-recipe"), page.text["n1-recipe"]
    assert found["learning rate"] == ["0.0001"]
    assert found["pretrained"] == ["yes"]
    assert found["seed"] == ["4"]
    assert "cutmix 0, averaging 0, teacher none" in text
    known = {*json.loads((folder / "recipe.json").read_text())}
    assert not {name for name in known if name.replace("_", " ") not in text}
    assert found["test accuracy"] == [f"{metrics(folder)['test_accuracy']:g}"]
    assert found["training fingerprint"] == [metrics(folder)["training_fingerprint"]]
    assert f"edgecnn train baseline --recipe '{folder}/recipe.json'" in text


def test_curves(page: Page, folder: Path) -> None:
    assert page.figures["n1-curves"] == ["n1-loss", "n1-accuracy"]
    with (folder / "history.csv").open() as file:
        history = list(csv.DictReader(file))
    # A marker an epoch, on two lines.
    for name in page.figures["n1-curves"]:
        assert page.path.read_text().count(f'href="#{name}-m') >= 2 * len(history)
    assert {"Epoch", "Loss", "Accuracy", "(%)", "training", "validation"} <= set(page.text["n1-curves"].split())


def test_classes_are_those_of_evaluate(
    page: Page, folder: Path, no_data: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert edgecnn(["evaluate", str(folder), "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    for label, of in measured["classes"].items():
        shares = [f"{of[name]:.1%}" for name in ("precision", "recall", "f1")]
        assert [label, *shares, "100", ""] in page.rows["n1-classes"]
    low, high = measured["interval"]
    assert (
        f"Of the Keras model: {measured['accuracy']:.2%} of 1,000 images are right (95 %: {low:.2%} to {high:.2%}), "
        f"the mean recall of the classes is {measured['balanced_accuracy']:.2%}"
    ) in page.text["n1-classes"]
    assert page.figures["n1-classes"] == ["n1-confusion"]


def test_most_frequent_mistakes(page: Page, evidence: Evidence) -> None:
    confusion = evidence.chief.metrics.confusion
    names = evidence.data.label_names
    table = page.rows["n1-classes"]
    pairs = table[table.index(["Class", "Taken for", "Images", "Of the class"]) + 1 :]
    counts = sorted((confusion - np.diag(confusion.diagonal())).ravel().tolist(), reverse=True)
    assert [int(cells[2]) for cells in pairs] == counts[:8]
    for label, guess, count, share in pairs:
        assert confusion[names.index(label), names.index(guess)] == int(count)
        assert share == f"{int(count) / 100:.1%}"


def test_best_and_worst_predictions(page: Page, evidence: Evidence) -> None:
    data, probabilities = evidence.data, evidence.chief.probabilities
    pictures = page.pictures["n1-predictions"]
    best = surest(data.labels, probabilities, right=True)
    firsts = list({int(data.labels[index]): int(index) for index in best[::-1]}.values())
    for picture in pictures[:10]:
        assert any(np.array_equal(pixels(picture), data.images[index]) for index in firsts)
    worst = surest(data.labels, probabilities, right=False)[:8].tolist()
    assert len(pictures) == 10 + 3 * 8
    for number, index in enumerate(worst):
        picture, *evidences = pictures[10 + 3 * number : 13 + 3 * number]
        np.testing.assert_array_equal(pixels(picture), data.images[index])
        assert all(pixels(each).shape == (96, 96, 3) for each in evidences)
        guess, label = data.label_names[probabilities[index].argmax()], data.label_names[data.labels[index]]
        share = f"{probabilities[index].max():.1%}"
        assert f"for {guess} for {label} taken for {guess} {share}, is {label} #{index}" in page.text["n1-predictions"]


def test_parity_of_every_file_in_every_interpreter(page: Page, evidence: Evidence, folder: Path) -> None:
    assert len(evidence.rows) == len(installed("tflite")) + len(installed("onnx"))
    found = rows(page, "n1-parity")
    assert found["Keras model"][2] == f"{metrics(folder)['test_accuracy']:.2%}"
    for row in evidence.rows:
        assert row.accuracy is not None and row.change is not None and row.interval is not None
        cells = found[f"{row.file} {row.backend}"]
        assert cells[:-1] == [
            "passed",
            f"{row.size / 1000:,.1f}",
            f"{row.accuracy:.2%}",
            f"{row.change:+.2f} {row.interval[0]:+.2f} to {row.interval[1]:+.2f}",
            f"{row.agreement:.2%}",
            f"{row.difference:.1e}",
        ]
        assert float(cells[-1]) > 0


def test_pictures_on_which_the_formats_disagree(page: Page, evidence: Evidence) -> None:
    guesses = np.stack([each.probabilities.argmax(-1) for each in evidence.answered])
    differ = np.flatnonzero((guesses != guesses[0]).any(0))
    assert len(differ) > 0
    text = page.text["n1-differing"]
    assert f"{len(differ)} of 1,000 images do not get the same label from all {len(evidence.answered)} models" in text
    positions = [int(each["data-position"]) for _, each in page.tags if "data-position" in each]
    assert len(positions) == min(12, len(differ))
    assert set(positions) <= set(differ.tolist())
    names = evidence.data.label_names
    for position, picture in zip(positions, page.pictures["n1-differing"], strict=True):
        np.testing.assert_array_equal(pixels(picture), evidence.data.images[position])
        part = text.split(f"#{position} ")[1].split(" is ")[0]
        for guess in set(guesses[:, position].tolist()):
            right = " ✓" if guess == evidence.data.labels[position] else ""
            assert re.search(rf"{names[guess]}{right} \d", part)


def test_agreement_of_each_with_each(page: Page, evidence: Evidence) -> None:
    found = page.rows["n1-differing"][1:]
    guesses = [each.probabilities.argmax(-1) for each in evidence.answered]
    assert found == [
        [f"{number} {one.name}", *(f"{(guesses[number - 1] == other).mean():.2%}" for other in guesses)]
        for number, one in enumerate(evidence.answered, 1)
    ]


def test_benchmark_of_every_file(page: Page, evidence: Evidence) -> None:
    cells = page.rows["n1-benchmark"][1:]
    for row in evidence.rows:
        mine = [each for each in cells if each[0].startswith(f"{row.file} {row.backend}, ")]
        assert mine
        assert all(each[1] == f"{row.size / 1000:,.1f}" and float(each[4]) > 0 for each in mine)
        assert f"{Path(row.file).stem}, {row.backend}" in page.text["n1-benchmark"]
    assert page.figures["n1-benchmark"] == ["n1-benchmark"]
    assert "1 round through all files" in page.text["n1-benchmark"]


def test_layers_and_operators(page: Page, folder: Path) -> None:
    found = rows(page, "n1-layers")
    for each in layer_table(keras_file.load(folder / "model.keras")[0]):
        numbers = [f"{count:,}" if count else "" for count in (each.parameters, each.multiply_adds)]
        assert found[each.name] == [each.type, " x ".join(map(str, each.output_shape)), *numbers]
    assert found["total"][2:] == ["226,390", "469,000"]
    assert "2 FULLY_CONNECTED" in found["baseline-int8.tflite"][0]


def test_every_model_card(page: Page, folder: Path) -> None:
    text = page.text["n1-cards"]
    for name in ("baseline-int8.tflite", "baseline-fp32.onnx"):
        contract, _ = container.read(folder / name)
        assert contract.payload_sha256 in text
        assert f"edgecnn verify {file_name(contract)}" in text
        for result in contract.parity["results"]:
            assert f"{result['accuracy']:.2%}" in text
    # Headings of the cards stand below those of the page.
    assert sum(tag == "h1" for tag, _ in page.tags) == 1
