"""What a run left of its training is read as it was written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from edgecnn.training.recipe import DEFAULT
from edgecnn.training.record import Record, read
from edgecnn_runtime.errors import TrainingError


def test_a_folder_without_anything(tmp_path: Path) -> None:
    assert read(tmp_path) == Record()


def test_all_of_it(tmp_path: Path) -> None:
    recipe = replace(DEFAULT, epochs=2, teacher="runs/Lehrer ü", distillation=0.5)
    (tmp_path / "recipe.json").write_text(recipe.to_json())
    (tmp_path / "history.csv").write_text("epoch,loss,accuracy,validation_loss\r\n1,2.5,0.25,nan\r\n2,1e-3,1,2\r\n")
    (tmp_path / "metrics.json").write_text(json.dumps({"test_accuracy": 0.5, "device": "a CPU"}))
    found = read(tmp_path)
    assert found.recipe == recipe
    assert [row["loss"] for row in found.history] == [2.5, 0.001]
    assert found.metrics == {"test_accuracy": 0.5, "device": "a CPU"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("recipe.json", '{"name": "a", "epochs": "many", "batch_size": 1, "learning_rate": 1}'),
        ("recipe.json", "null"),
        ("history.csv", "epoch,loss,accuracy\n1,2\n"),
        ("history.csv", "epoch,loss,accuracy\n1,2,3,4\n"),
        ("history.csv", "\0"),
        ("history.csv", "\udcff"),
        ("metrics.json", "3"),
        ("metrics.json", "\udcff"),
    ],
)
def test_what_is_not_what_it_is_called(name: str, text: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(TrainingError):
        read(tmp_path)


@pytest.mark.parametrize("name", ["history.csv", "metrics.json"])
def test_a_folder_in_its_place(name: str, tmp_path: Path) -> None:
    (tmp_path / name).mkdir()
    with pytest.raises(TrainingError, match="Is a directory"):
        read(tmp_path)
