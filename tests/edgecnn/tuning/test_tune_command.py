"""``edgecnn tune`` from outside: what it says, what it leaves, how it goes on, and what it does not look at."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edgecnn.cli.main import run
from edgecnn.data import cifar10
from edgecnn.data.cifar10 import Cifar10
from edgecnn.training.progress import Reporter
from edgecnn.training.recipe import DEFAULT, LESSON, find
from edgecnn_export.dataset import Dataset
from tests.edgecnn.conftest import Environment
from tests.edgecnn.tuning.conftest import Spaces

pytestmark = pytest.mark.usefixtures("here")

MODEL = Path(__file__).parents[3] / "models" / "baseline.keras"
SPACE = {"learning_rate": {"low": 0.001, "high": 0.004, "log": True}, "cutout": {"low": 0, "high": 8}}


def table(folder: Path) -> list[dict[str, str]]:
    """The trials, without what is different each time."""
    with (folder / "trials.csv").open() as file:
        return [{name: value for name, value in row.items() if name != "seconds"} for row in csv.DictReader(file)]


def error(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The status, and the one line without its ``error: ``."""
    status = run(["tune", *arguments])
    (line,) = capsys.readouterr().err.splitlines()
    return status, line.removeprefix("error: ")


@pytest.mark.usefixtures("keras")
def test_a_search_and_a_training_by_what_it_found(
    here: Path,
    few: Cifar10,
    watched: Dataset,
    space_file: Spaces,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["tune", "baseline", "--epochs", "1", "--space", str(space_file(**SPACE))]
    assert run([*words, "--trials", "2"]) == 0
    device, about, *lines, best, saved = capsys.readouterr().out.splitlines()
    folder = Path("runs/tune-baseline")
    assert device.startswith("Keras ")
    assert about == (
        "baseline: recipe default, 1 epoch of 100 images, judged by 50 others; "
        "0 of 2 trials done; in runs/tune-baseline"
    )
    assert [line.split("  ")[0] for line in lines] == ["trial 0", "trial 1"]
    assert lines[0].endswith(f"  learning_rate {DEFAULT.learning_rate}, cutout {DEFAULT.cutout}")

    trials = table(folder)
    assert [trial["fate"] for trial in trials] == ["finished", "finished"]
    chosen = max(trials, key=lambda trial: float(trial["validation_accuracy"]))
    accuracy = float(chosen["validation_accuracy"])
    assert best == f"best: trial {chosen['trial']}, validation {accuracy:.2%} after 1 epoch"
    train = "edgecnn train baseline --recipe runs/tune-baseline/recipe.json"
    assert saved == f"saved runs/tune-baseline/recipe.json; train by it with: {train}"
    rate, cutout = float(chosen["learning_rate"]), int(chosen["cutout"])
    found = replace(DEFAULT, name="tuned", learning_rate=rate, cutout=cutout)
    assert find(str(folder / "recipe.json")) == found
    assert sorted(path.name for path in folder.iterdir()) == ["journal.log", "recipe.json", "search.json", "trials.csv"]

    # The same command has nothing left to do, and another number of trials only what is missing.
    before = table(folder)
    assert run([*words, "--trials", "2"]) == 0
    assert table(folder) == before
    assert run([*words, "--trials", "3"]) == 0
    assert table(folder)[:2] == before
    assert len(table(folder)) == 3

    # What it printed can be run. Training does look at the test images, and here finds that none may.
    capsys.readouterr()
    with pytest.raises(AssertionError, match="the test images were asked for"):
        run([*train.split()[1:], "--epochs", "1"])
    monkeypatch.setattr(cifar10, "load", lambda folder: Cifar10(few.train, watched))
    assert run([*train.split()[1:], "--epochs", "1", "--out", "other"]) == 0
    assert "recipe tuned: 1 epoch of 100 images" in capsys.readouterr().out


@pytest.mark.usefixtures("keras", "few")
def test_an_interrupted_search_goes_on_as_if_it_had_not_been(
    here: Path, space_file: Spaces, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["tune", "baseline", "--epochs", "2", "--trials", "3", "--space", str(space_file(**SPACE)), "--out"]
    show, shown = Reporter.step, [0]

    def interrupt(self: Reporter, epoch: int, *state: Any) -> None:
        show(self, epoch, *state)
        shown[0] += epoch == 1
        if shown[0] == 2:
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as second_trial:
        second_trial.setattr(Reporter, "step", interrupt)
        assert run([*words, "interrupted"]) == 130
    out, err = capsys.readouterr()
    assert out.splitlines()[-1] == "Stopped; 1 of 3 trials are done. The same command goes on."
    assert err == "error: interrupted\n"
    assert find("interrupted/recipe.json").name == "tuned"

    assert run([*words, "interrupted"]) == 0
    assert "1 of 3 trials done" in capsys.readouterr().out
    assert run([*words, "whole"]) == 0
    goes_on, whole = table(Path("interrupted")), table(Path("whole"))
    assert [trial.pop("trial") for trial in goes_on] == ["0", "2", "3"]
    assert [trial.pop("trial") for trial in whole] == ["0", "1", "2"]
    assert goes_on == whole


@pytest.mark.usefixtures("keras", "few")
def test_a_recipe_that_watches_the_test_images_is_searched_without_them(here: Path, space_file: Spaces) -> None:
    words = ["--recipe", "lesson", "--epochs", "1", "--trials", "1", "--space", str(space_file(**SPACE))]
    assert run(["tune", "baseline", *words]) == 0
    assert find("runs/tune-baseline/recipe.json") == replace(LESSON, name="tuned")
    assert json.loads(Path("runs/tune-baseline/search.json").read_text())["recipe"]["validation"] == "held-out"


@pytest.mark.usefixtures("keras", "few")
def test_every_trial_starts_from_the_weights_that_are_given(
    here: Path, space_file: Spaces, capsys: pytest.CaptureFixture[str]
) -> None:
    path = space_file(learning_rate={"choices": [1e-6]})
    words = ["--weights", str(MODEL), "--epochs", "1", "--trials", "2", "--space", str(path)]
    assert run(["tune", "baseline", *words]) == 0
    assert capsys.readouterr().out.endswith("--recipe runs/tune-baseline/recipe.json\n")
    for trial in table(Path("runs/tune-baseline")):
        assert float(trial["validation_accuracy"]) > 0.5
    found = find("runs/tune-baseline/recipe.json")
    assert (found.pretrained, found.weights) == (True, str(MODEL))


@pytest.mark.usefixtures("keras", "few")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--weights", "nowhere.npz"], "the file of weights nowhere.npz does not exist"),
        (["--recipe", "transfer"], "there are no trained weights for baseline; give a file of them with --weights"),
    ],
    ids=["no such file", "none to be had"],
)
def test_weights_that_cannot_be_had_begin_no_search(
    words: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["tune", "baseline", *words]) in (1, 2)
    assert capsys.readouterr().err == f"error: {message}\n"
    assert not (here / "runs").exists()


@pytest.mark.usefixtures("keras", "few")
def test_no_recipe_where_none_came_to_its_end(
    here: Path, space_file: Spaces, capsys: pytest.CaptureFixture[str]
) -> None:
    path = space_file(learning_rate={"choices": [1e30]})
    words = ["--recipe", "lesson", "--epochs", "1", "--trials", "1", "--space", str(path)]
    status, message = error(capsys, "baseline", *words)
    assert status == 1
    assert message == "no trial came to its end, runs/tune-baseline/trials.csv says why; give another --space"
    assert [trial["fate"] for trial in table(Path("runs/tune-baseline"))] == ["diverged"]
    assert not Path("runs/tune-baseline/recipe.json").exists()


@pytest.mark.usefixtures("keras", "few")
def test_another_search_is_left_alone(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = here / "runs" / "tune-baseline"
    folder.mkdir(parents=True)
    for recipe in ("{}", "[]"):
        (folder / "search.json").write_text(f'{{"network": "baseline", "recipe": {recipe}, "space": {{}}, "seed": 0}}')
        status, message = error(capsys, "baseline")
        assert (status, message) == (1, "runs/tune-baseline/search.json is damaged; choose another --out")
    (folder / "search.json").unlink()
    assert run(["tune", "baseline", "--epochs", "1", "--trials", "1"]) == 0
    status, message = error(capsys, "baseline", "--epochs", "1", "--trials", "1", "--seed", "1")
    assert status == 1
    assert message.startswith("runs/tune-baseline holds a search with another seed (search.json says which)")


@pytest.mark.usefixtures("keras", "few")
@pytest.mark.parametrize("file", ["checkpoint.npz", "model.keras"])
def test_a_run_is_left_alone(file: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "run").mkdir()
    (here / "run" / file).touch()
    expected = 1, "run holds a run of edgecnn train; choose another --out"
    assert error(capsys, "baseline", "--epochs", "1", "--out", "run") == expected
    assert [path.name for path in (here / "run").iterdir()] == [file]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["lenet"], "no network is called 'lenet'; "),
        (["baseline", "--recipe", "best"], "no recipe is called 'best', and there is no such file; "),
        (["baseline", "--epochs", "0"], "epochs must be at least 1, got 0"),
        (["baseline", "--trials", "0"], "Invalid value for '--trials': 0 is not in the range x>=1."),
        (["baseline", "--seed", "-1"], "Invalid value for '--seed': -1 is not in the range x>=0."),
        (["baseline", "--space", "nowhere"], "the search space nowhere cannot be read (No such file or directory)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(arguments: list[str], message: str, here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, said = error(capsys, *arguments)
    assert status == 2
    assert said.startswith(message)
    assert not list(here.iterdir())


def test_without_optuna(here: Path, environment: Environment) -> None:
    command = [str(environment()), "-I", "-m", "edgecnn", "tune", "baseline"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert ended.stderr == 'error: tuning needs Optuna; install it with: pip install "edgecnn[tune]"\n'
    assert not list(here.iterdir())
