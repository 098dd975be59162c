"""What is kept of a search: real Optuna, a formula in the place of training."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import optuna
import pytest

from edgecnn.training.recipe import DEFAULT
from edgecnn.tuning import space, study
from edgecnn.tuning.study import JOURNAL, SEARCH
from edgecnn_runtime.errors import TrainingError

USUAL = space.read(space.USUAL, DEFAULT)
FIRST = space.start(USUAL, DEFAULT)
TRIALS = 14  # Optuna's sampler draws at random until ten have ended


def opened(folder: Path, **about: Any) -> optuna.Study:
    return study.opened(folder, {"network": "baseline"} | about, 5, FIRST)


def accuracy(values: dict[str, Any]) -> float:
    return float(1 / (1 + abs(values["learning_rate"] - 0.01) + values["cutmix"] + values["shift"]))


def searched(folder: Path, seed: int, interrupted_at: int = -1) -> list[dict[str, Any]]:
    """The values of the trials that ended, in their order."""
    search = opened(folder)
    while len(study.ended(search)) < TRIALS:
        trial = study.asked(search, USUAL, seed)
        if trial.number == interrupted_at:
            study.put_back(search, trial)
            search = opened(folder)
        else:
            search.tell(trial, accuracy(trial.params))
    return [trial.params for trial in study.ended(search)]


def test_the_first_trial_is_the_recipe_and_the_seed_draws_the_others(tmp_path: Path) -> None:
    one, same, other = (searched(tmp_path / name, seed) for name, seed in (("one", 3), ("same", 3), ("other", 4)))
    assert one[0] == FIRST
    assert one == same
    assert all(drawn != another for drawn, another in zip(one[1:], other[1:], strict=True))


@pytest.mark.parametrize("number", [0, 4, 12])
def test_an_interrupted_search_draws_as_if_it_had_not_been(number: int, tmp_path: Path) -> None:
    expected = searched(tmp_path / "whole", 3)
    assert searched(tmp_path / "interrupted", 3, interrupted_at=number) == expected
    states = Counter(trial.state.name for trial in opened(tmp_path / "interrupted").trials)
    assert states == {"COMPLETE": TRIALS, "FAIL": 1}


def test_a_trial_that_was_killed_costs_itself_only(tmp_path: Path) -> None:
    study.asked(opened(tmp_path), USUAL, 0)
    again = opened(tmp_path)
    assert not study.ended(again)
    assert study.asked(again, USUAL, 0).number == 1
    assert study.best(again) is None


def test_processes_that_begin_at_once_share_one_search(tmp_path: Path) -> None:
    script = (
        "from pathlib import Path\nfrom tests.edgecnn.tuning.test_study import *\nimport sys\n"
        "search = opened(Path(sys.argv[1]))\n"
        "for _ in range(12):\n    study.asked(search, USUAL, 0)\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path)]
    root = Path(__file__).parents[3]
    processes = [subprocess.Popen(command, cwd=root, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.communicate(timeout=60)[1] == ""
    trials = opened(tmp_path).trials
    assert [trial.number for trial in trials] == list(range(24))
    assert [trial.params for trial in trials].count(FIRST) == 1
    assert len({str(trial.params) for trial in trials}) == 24
    assert sorted(path.name for path in tmp_path.iterdir()) == [JOURNAL, SEARCH]


def test_another_search_is_refused_by_what_differs(tmp_path: Path) -> None:
    opened(tmp_path, seed=0, space="a")
    before = (tmp_path / JOURNAL).read_bytes()
    with pytest.raises(TrainingError, match=r"holds a search with another seed and another space \(search.json says"):
        opened(tmp_path, seed=1, space="b")
    assert (tmp_path / JOURNAL).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [JOURNAL, SEARCH]


def test_a_search_begun_before_recipes_had_a_field_goes_on(tmp_path: Path) -> None:
    recipe = asdict(DEFAULT)
    opened(tmp_path, recipe=recipe)
    about = json.loads((tmp_path / SEARCH).read_text())
    del about["recipe"]["crop"], about["recipe"]["cropped"]
    (tmp_path / SEARCH).write_text(json.dumps(about))
    opened(tmp_path, recipe=recipe)
    about["recipe"]["cropped"] = 0.5
    (tmp_path / SEARCH).write_text(json.dumps(about))
    with pytest.raises(TrainingError, match="holds a search with another recipe"):
        opened(tmp_path, recipe=recipe)


def test_a_line_that_a_power_cut_left_unfinished_costs_itself_only(tmp_path: Path) -> None:
    search = opened(tmp_path)
    search.tell(study.asked(search, USUAL, 0), 0.5)
    with (tmp_path / JOURNAL).open("ab") as file:
        file.write(b'{"op_code":4,"wor')
    search = opened(tmp_path)
    search.tell(study.asked(search, USUAL, 0), 0.6)
    assert [trial.value for trial in study.ended(opened(tmp_path))] == [0.5, 0.6]


@pytest.mark.parametrize("name", [JOURNAL, SEARCH])
@pytest.mark.parametrize("text", ["rubbish\n{}\n", "{}\n{}\n", "[]\n[]\n"])
def test_a_damaged_file_is_an_error_of_one_line(name: str, text: str, tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / name).write_text(text)
    with pytest.raises(TrainingError, match=rf"{name} is damaged.*; choose another --out"):
        opened(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TrainingError, match=r"cannot be kept \(Not a directory\); choose another --out"):
        opened(tmp_path / "file" / "search")
