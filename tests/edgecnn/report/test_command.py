"""``edgecnn report`` from outside: what it takes, what it says is missing, and what it refuses."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from PIL import Image

from edgecnn import zoo
from edgecnn.cli.main import program, run
from edgecnn.models import carried
from edgecnn_export import keras_file, onnx, parity, scoring
from edgecnn_export.dataset import Images
from edgecnn_export.parity import Exported
from edgecnn_export.scoring import Scores
from edgecnn_runtime import container
from edgecnn_runtime.contract import Contract, InputSpec
from edgecnn_runtime.errors import ExportError
from tests.edgecnn.report.conftest import BASELINE
from tests.edgecnn.report.read import Page, pixels

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "runtime" / "data"
COLOURS = ("red", "green", "blue")

pytestmark = pytest.mark.usefixtures("here")


def report(*words: object, rounds: int = 0) -> Page:
    assert run(["report", *map(str, words), "-o", "page.html", "--rounds", str(rounds)]) == 0
    return Page(Path("page.html"))


@pytest.fixture
def photos(here: Path) -> Path:
    """Ten pictures of each colour, the green ones in the wrong folder."""
    for label in COLOURS:
        (here / "photos" / label).mkdir(parents=True)
        for number in range(10):
            pixel = np.zeros(3, np.uint8)
            pixel[COLOURS.index("blue" if label == "green" else label)] = 150 + number
            Image.fromarray(np.full((4, 4, 3), pixel)).save(here / "photos" / label / f"{number}.png")
    return here / "photos"


def test_files_alone_without_images(capsys: pytest.CaptureFixture[str]) -> None:
    page = report(TINY / "tiny-int8.tflite", TINY / "tiny-fp32.onnx")
    out, err = capsys.readouterr()
    assert not out
    assert err == f"saved page.html, {Path('page.html').stat().st_size / 1000:,.0f} kB\n"
    command = f"edgecnn report {TINY}/tiny-int8.tflite {TINY}/tiny-fp32.onnx"
    for section, missing in (
        ("recipe", "edgecnn train "),
        ("curves", "edgecnn train "),
        ("classes", f"{command} --data photos/"),
        ("predictions", f"{command} --data photos/"),
        ("parity", f"{command} --data photos/"),
        ("differing", f"{command} --data photos/"),
        ("benchmark", f"{command} --rounds 3"),
        ("layers", "edgecnn models "),
    ):
        assert missing in page.text[f"n1-{section}"], section
    assert "edgecnn info FILE --card" in page.text["n1-cards"]
    assert "tiny-int8.tflite 2 QUANTIZE, 1 MEAN" in page.text["n1-layers"]
    assert "✗ Not proved 2 of 2 files carry no proof that passed." in page.text["n1"]


def test_files_compared_with_each_other(photos: Path) -> None:
    page = report(TINY / "tiny-int8.tflite", TINY / "tiny-fp32.onnx", "--data", photos)
    text = page.text["n1-parity"]
    assert "The Keras model was not named, so the files are compared with each other alone" in text
    accuracies = {cells[0]: cells[2] for cells in page.rows["n1-parity"][1:]}
    assert {name.partition(" ")[0] for name in accuracies} == {"tiny-int8.tflite", "tiny-fp32.onnx"}
    assert set(accuracies.values()) == {"66.67%"}, "the green ones are wrong"
    assert "Of tiny-int8.tflite, " in page.text["n1-classes"]
    assert next(cells for cells in page.rows["n1-classes"] if cells[0] == "green")[1:4] == ["-", "0.0%", "0.0%"]
    assert "green blue 2 100.0%" in page.text["n1-classes"]
    # Nothing but files has been loaded, and they know no gradients.
    assert "Where the evidence is, is shown for a Keras model with convolutions" in page.text["n1-predictions"]
    wrong = [pixels(each) for each in page.pictures["n1-predictions"]][2:]
    assert wrong
    assert all(each[..., :2].max() == 0 for each in wrong), "blue pictures"
    assert "0 of " in page.text["n1-differing"]
    named = f" --data {photos}"
    assert re.search(rf"edgecnn train \S+{named}", page.text["n1-recipe"])


def test_exported_files_need_nothing_heavy(photos: Path) -> None:
    words = ["report", str(TINY / "tiny-fp32.onnx"), "--data", str(photos), "--rounds", "0"]
    script = (
        f"import sys; from edgecnn.cli.main import run; status = run({words!r}); "
        "print(*{name.partition('.')[0] for name in sys.modules}); sys.exit(status)"
    )
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert not {"keras", "tensorflow", "jax", "onnx", "tf2onnx"} & set(ended.stdout.split())
    assert Path("report.html").exists()


@pytest.mark.usefixtures("keras")
def test_a_keras_file_alone() -> None:
    page = report(BASELINE, "--quick")
    assert "○ Not exported There is no exported file to compare." in page.text["n1"]
    for section in ("parity", "differing", "benchmark", "cards"):
        assert f"edgecnn export {BASELINE} --int8" in page.text[f"n1-{section}"], section
    for section in ("recipe", "curves"):
        assert "the folder of the run, which was not named" in page.text[f"n1-{section}"]
    assert page.figures["n1-classes"] == ["n1-confusion"]
    trained = keras_file.read_about(BASELINE).training
    assert trained["training_fingerprint"] in page.text["n1-recipe"]


@pytest.mark.usefixtures("keras")
def test_several_networks_side_by_side(folder: Path) -> None:
    page = report(folder / "baseline-int8.tflite", carried("onnx"), "--quick", rounds=1)
    lines = {cells[0]: cells[1:] for cells in page.rows["together"]}
    assert lines.keys() == {"Network", "baseline", "edge-s"}
    for number, name in (("n1", "baseline"), ("n2", "edge-s")):
        assert lines[name][1] in page.text[number]
        assert lines[name][0] == "Proved at export"
    assert page.figures["together"] == ["together-benchmark"]
    for name in ("baseline-int8", "edge-s-int8"):
        assert name in page.text["together"]
    names = [each["data-figure"] for tag, each in page.tags if tag == "svg"]
    assert len(names) == len(set(names)) == 5


def test_a_file_of_another_training_is_another_network(folder: Path) -> None:
    words = [str(folder / "baseline-fp32.onnx"), str(BASELINE)]
    assert run(["report", *words, "-o", "page.html", "--rounds", "0", "--quick"]) == 0
    page = Page(Path("page.html"))
    assert [cells[1] for cells in page.rows["together"]] == ["Verdict", "Proved at export", "Not exported"]


@pytest.mark.usefixtures("keras")
def test_a_file_that_is_not_the_same_model(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model of other weights with the contract of the right one."""
    honest, wrong = Exported.open(folder / "baseline-fp32.onnx"), carried("onnx").read_bytes()
    payload = wrong[: container.parse(wrong)[1]]
    Path("wrong.onnx").write_bytes(container.embed(payload, honest.contract))
    words = [str(folder / "model.keras"), "wrong.onnx"]
    assert run(["report", *words, "-o", "page.html", "--quick", "--rounds", "0"]) == 1
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith("saved page.html")
    assert err[1].startswith("error: not the same model: wrong.onnx: values: largest difference ")
    page = Page(Path("page.html"))
    assert "✗ Not the same model 1 of 1 comparison with the Keras model failed here." in page.text["n1"]
    (line,) = [cells for cells in page.rows["n1-parity"] if cells[0].startswith("wrong.onnx")]
    assert line[1] == "FAILED"
    assert "wrong.onnx in onnxruntime" in page.text["n1-parity"]


@pytest.mark.usefixtures("keras")
def test_a_file_that_does_not_run_is_no_part_of_a_good_verdict(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    score = scoring.score
    for failing in ((".onnx",), (".onnx", ".tflite")):

        def answered(model: Path, images: Images, backend: str, failing: tuple[str, ...] = failing) -> Scores:
            if model.suffix in failing:
                raise ExportError(f"{backend} failed on {model.name}: today")
            return score(model, images, backend)

        monkeypatch.setattr(parity, "score", answered)
        words = ["report", str(folder), "-o", "page.html", "--quick", "--rounds", "0"]
        assert run(words) == 1
        assert "onnxruntime failed on baseline-fp32.onnx: today" in capsys.readouterr().err
        page = Page(Path("page.html"))
        assert "onnxruntime failed on baseline-fp32.onnx: today" in page.text["n1-parity"]
        assert "✗ Not compared" in page.text["n1"]


@pytest.mark.usefixtures("keras")
def test_answers_that_are_no_numbers_are_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    score = scoring.score

    def answered(model: Path, images: Images, backend: str) -> Scores:
        scores = score(model, images, backend)
        return (
            replace(scores, probabilities=np.full_like(scores.probabilities, np.nan)) if "onnx" in backend else scores
        )

    monkeypatch.setattr(parity, "score", answered)
    assert run(["report", str(folder / "baseline-fp32.onnx"), "-o", "page.html", "--quick", "--rounds", "0"]) == 1
    assert "gives answers that are no numbers (NaN); export the model again" in capsys.readouterr().err
    text = Page(Path("page.html")).text
    assert "are no numbers (NaN)" in text["n1-parity"]
    assert "✗ Not compared" in text["n1"]
    assert "There are no test images" not in text["n1"]
    assert "No file of it could be run here" in text["n1-classes"]


@pytest.mark.usefixtures("keras")
def test_a_chart_has_either_accuracies_or_sizes(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    score = scoring.score

    def answered(model: Path, images: Images, backend: str) -> Scores:
        if "onnx" in backend:
            raise ExportError("today")
        return score(model, images, backend)

    monkeypatch.setattr(parity, "score", answered)
    files = folder / "baseline-fp32.onnx", folder / "baseline-int8.tflite"
    assert run(["report", *map(str, files), "-o", "page.html", "--quick", "--rounds", "1"]) == 1
    text = Page(Path("page.html")).text["n1-benchmark"]
    assert "Accuracy (%)" in text
    assert "baseline-int8, litert" in text
    assert "baseline-fp32, onnxruntime" not in text
    assert "baseline-fp32.onnx" in text  # in the table of what was measured


@pytest.mark.usefixtures("keras")
def test_what_an_export_left_when_it_was_killed_is_not_the_runs(folder: Path) -> None:
    shutil.copytree(folder, "run")
    Path("run/.tmp.baseline-int8.tflite").write_bytes(b"half")
    assert ".tmp." not in report("run", "--quick").text["n1"]


@pytest.mark.usefixtures("keras")
def test_a_file_that_export_refused(folder: Path) -> None:
    shutil.copytree(folder, "run")
    data = Path("run/baseline-fp32.onnx").read_bytes()
    contract, size = container.parse(data)
    checks = [{"name": "names", "passed": True}, {"name": "accuracy", "measured": "12%", "allowed": "88%"}]
    results = [{"backend": "onnxruntime 1", "passed": False, "checks": checks}, {"checks": ["x"]}, {"checks": 3}, {}]
    changed = replace(contract, precision="int8", parity={"results": results})
    Path("run/baseline-int8.onnx.rejected").write_bytes(container.embed(data[:size], changed))
    text = report("run", "--quick").text["n1-parity"]
    assert "baseline-int8.onnx.rejected was refused at export: accuracy: 12%; 88% (onnxruntime 1)" in text
    assert text.count("refused") == 1
    assert "names" not in text


@pytest.mark.usefixtures("keras")
def test_a_network_that_guesses(here: Path) -> None:
    model, about = zoo.find("baseline").build(10), keras_file.read_about(BASELINE)
    keras_file.save(here / "new.keras", model, about)
    contract = Contract("baseline", "onnx", "fp32", about.labels, about.input, training=about.training)
    Path("new.onnx").write_bytes(container.embed(onnx.convert(model, "fp32", None), contract))
    assert run(["report", "new.keras", "new.onnx", "-o", "page.html", "--quick", "--rounds", "0"]) == 0
    page = Page(Path("page.html"))
    assert "where always giving one label gets 10.0%" in page.text["n1-parity"]
    assert "Proves nothing" in page.text["n1"]


def damaged(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (damaged("recipe.json", "[]"), "run/recipe.json is not a recipe: expected a recipe.json"),
        (damaged("recipe.json", '{"name": "x", "size": 3}'), "run/recipe.json: the saved recipe does not fit"),
        (
            damaged("history.csv", "epoch,loss\n1,2\n"),
            "run/history.csv is no history of edgecnn train (epochs or columns are",
        ),
        (damaged("history.csv", "epoch,loss,accuracy\n1,a,b\n"), "run/history.csv is no history of edgecnn train"),
        (damaged("metrics.json", "[1]"), "run/metrics.json holds no metrics of edgecnn train (it is no object)"),
        (damaged("metrics.json", "{"), "run/metrics.json holds no metrics of edgecnn train"),
        (damaged("baseline-int8.tflite", "x"), "run/baseline-int8.tflite: neither a TFLite nor an ONNX model"),
        (damaged("model.keras", "x"), "run/model.keras is not a .keras file"),
        (lambda folder: (folder / "model.keras").unlink(), "run holds no finished run (model.keras is missing); name"),
    ],
)
def test_a_damaged_run(
    change: Callable[[Path], object], message: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, "run")
    change(Path("run"))
    refused(["run"], 1, message, capsys)


def refused(words: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, what was there before stays, and nothing comes beside it."""
    Path("report.html").write_text("old")
    before = sorted(Path().iterdir())
    assert run(["report", *words]) == status
    out, err = capsys.readouterr()
    assert not out
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1
    assert Path("report.html").read_text() == "old"
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("rounds", ["0", "1"])
def test_a_file_that_does_not_run_is_said_and_the_page_is_there(
    rounds: str, photos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    contract, whole = container.read(TINY / "tiny-int8.tflite")
    other = replace(contract, input=InputSpec(9, 9))  # than the model in it takes, which only an interpreter sees
    Path("broken-int8.tflite").write_bytes(container.embed(whole[: container.parse(whole)[1]], other))
    words = ["report", "broken-int8.tflite", str(TINY / "tiny-fp32.onnx"), "-o", "page.html", "--data", "photos"]
    assert run([*words, "--rounds", rounds]) == 1
    err = capsys.readouterr().err
    assert "error: litert failed on broken-int8.tflite" in err
    assert err.startswith("saved page.html")
    assert "tiny-fp32.onnx" in Path("page.html").read_text()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["none"], 2, "none does not exist; name runs of edgecnn train, .keras, .tflite and .onnx files"),
        (["none.tflite"], 1, "none.tflite: no such file; check the path"),
        (["loop.tflite"], 1, "loop.tflite: "),
        (["none.keras"], 1, "none.keras does not exist; expected a .keras file"),
        (["text.txt"], 2, "text.txt is no model; name runs of edgecnn train"),
        (["empty"], 1, "empty holds no finished run (model.keras is missing)"),
        (["TINY", "-o", "none/page.html"], 1, "none/page.html cannot be written (No such file or directory); choose"),
        (["TINY", "-o", "text.txt/page.html"], 1, "text.txt/page.html cannot be written (Not a directory); choose"),
        (["TINY", "-o", "folder.html"], 1, "folder.html is a folder; choose another --out"),
        (["TINY", "-o", "page.tflite"], 2, "page.tflite is no name of a page; choose one that ends in .html"),
        (["TINY", "--quick", "--data", "photos"], 2, "--quick takes images that come with edgecnn, --data others"),
        (["TINY", "--data", "none"], 1, "none does not exist: photographs come as"),
        (["BASELINE", "copy.keras"], 2, "BASELINE and copy.keras are the same training; name one of them"),
    ],
)
def test_what_cannot_be(
    words: list[str], status: int, message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "text.txt").write_text("text")
    (here / "empty").mkdir()
    (here / "loop.tflite").symlink_to("loop.tflite")
    (here / "folder.html").mkdir()
    shutil.copy(BASELINE, here / "copy.keras")
    names = {"TINY": str(TINY / "tiny-fp32.onnx"), "BASELINE": str(BASELINE)}
    given = [names.get(word, word) for word in words]
    refused(given, status, message.replace("BASELINE", names["BASELINE"]), capsys)


def test_what_is_named_twice_is_there_once(folder: Path) -> None:
    page = report(folder / "baseline-fp32.onnx", folder / ".." / folder.name / "baseline-fp32.onnx", "--quick")
    assert len(page.rows["n1-parity"]) == 2
    assert not page.rows["together"]


def test_another_page_replaces_the_first() -> None:
    Path("page.html").write_text("old")
    report(TINY / "tiny-fp32.onnx")
    assert "old" not in Path("page.html").read_text()[:100]


def test_it_says_so_where_the_libraries_are_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgecnn.cli.report.find_spec", lambda name: None)
    refused([str(BASELINE)], 1, 'report needs Jinja2; install it with: pip install "edgecnn[report]"', capsys)


def test_the_page_of_the_docs_knows_every_option() -> None:
    docs = (ROOT / "docs" / "report.md").read_text()
    (command,) = typer.main.get_command(program("report")).commands.values()  # type: ignore[attr-defined]
    options = {each.opts[0] for each in command.params} - {"words", "--help"}
    assert len(options) == 4
    assert not {each for each in options if f"`{each}" not in docs}
    pictures = re.findall(r"\((pictures/[\w-]+\.webp)\)", docs)
    assert pictures
    assert all((ROOT / "docs" / each).exists() for each in pictures)
    assert "(docs/report.md)" in (ROOT / "README.md").read_text()
