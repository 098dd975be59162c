"""The whole state of a run in one file, written atomically.

Random choices depend on the seed and the epoch alone (:mod:`edgecnn.training.plan`) and dropout's seeds are among
the model's variables, so weights, optimizer, position and history are everything. The file knows no backend: a run
begun under TensorFlow continues under JAX.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from edgecnn.training.recipe import Recipe
from edgecnn_export import damage
from edgecnn_export.dataset import Dataset
from edgecnn_export.placing import written
from edgecnn_runtime.errors import TrainingError, first_line


@dataclass
class Progress:
    """How far a run has come.

    Attributes:
        epoch: the epoch under way, from 0.
        step: steps of it that are done.
        loss_sum: sum of their losses.
        correct: number of their images that were right.
        seconds: time spent training, over all sittings.
        history: one row of figures for each finished epoch.
    """

    epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    correct: float = 0.0
    seconds: float = 0.0
    history: list[dict[str, float]] = field(default_factory=list)

    def advance(self, step: int, loss_sum: float, correct: float) -> None:
        """Count the steps up to ``step``, with the sum of their losses and of their right images."""
        self.step = step
        self.loss_sum += loss_sum
        self.correct += correct

    def finish_epoch(self, row: dict[str, float]) -> None:
        """Put the epoch's figures into the history and stand before the next one."""
        self.history.append(row)
        self.epoch, self.step, self.loss_sum, self.correct = self.epoch + 1, 0, 0.0, 0.0


def save(
    path: Path,
    network: str,
    recipe: Recipe,
    data: Dataset,
    progress: Progress,
    variables: list[Any],
    teacher: str = "",
) -> None:
    """Write the state to ``path``: either the whole new file is there afterwards, or the old one still is.

    Args:
        path: the file.
        network: its name.
        recipe: how it is trained.
        data: the images that it learns from.
        progress: how far it has come.
        variables: of the network and its optimizer, in a fixed order.
        teacher: fingerprint of the recipe's, if it has one.

    Raises:
        TrainingError: it cannot be written.
    """
    learnt = {"name": data.name, "fingerprint": data.fingerprint}
    about = {
        "network": network,
        "recipe": asdict(recipe),
        "data": learnt,
        "teacher": teacher,
        "progress": asdict(progress),
    }
    arrays = {f"v{index}": np.asarray(variable) for index, variable in enumerate(variables)}
    try:
        with written(path) as own, own.open("wb") as file:
            np.savez(file, about=np.array(json.dumps(about)), **arrays)
    except OSError as problem:
        raise TrainingError(f"the checkpoint {path} cannot be written ({problem.strerror})") from None


def peek(path: Path) -> tuple[str, Recipe, Progress]:
    """Network name, recipe and progress of a saved state.

    Raises:
        TrainingError: there is no checkpoint, or it cannot be read.
    """
    with _opened(path) as saved:
        about = json.loads(str(saved["about"]))
        return about["network"], Recipe.from_dict(about["recipe"]), Progress(**about["progress"])


def data_name(path: Path) -> str:
    """Name of the images that a saved state learns from.

    Raises:
        TrainingError: there is no checkpoint, or it cannot be read.
    """
    with _opened(path) as saved:
        return str(json.loads(str(saved["about"]))["data"]["name"])


def check(path: Path, data: Dataset, teacher: str = "") -> None:
    """See that a saved state is of a training on these images, by the teacher with this fingerprint.

    Raises:
        TrainingError: it is of another one, or cannot be read.
    """
    with _opened(path) as saved:
        about = json.loads(str(saved["about"]))
        learnt, taught, file = about["data"], about["teacher"], about["recipe"]["teacher"]
        name, same = learnt["name"], learnt["fingerprint"] == data.fingerprint
    if not same:
        raise TrainingError(
            f"{path.parent} learns from {name}, and {data.name} is not the same images; "
            "resume it with the --data that it began with, or begin another run"
        )
    if taught != teacher:
        raise TrainingError(
            f"the teacher {file} is another file than {path.parent} began with; put that one back, or begin another run"
        )


def restore(path: Path, variables: list[Any]) -> None:
    """Put the saved values into ``variables``, the list that was saved.

    Raises:
        TrainingError: the file cannot be read or belongs to another network.
    """
    with _opened(path) as saved:
        values = [saved[f"v{index}"] for index in range(len(saved.files) - 1)]
    if [value.shape for value in values] != [tuple(variable.shape) for variable in variables]:
        raise TrainingError(f"{path} holds the weights of another network or optimizer")
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """The arrays of the file; whatever shows while they are read that it is not ours becomes one kind of error."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as saved:
            yield saved
    except FileNotFoundError:
        raise TrainingError(f"{path} does not exist: there is no run to resume there") from None
    except (*damage.ARCHIVE, *damage.ARRAY, OSError, LookupError, AttributeError) as problem:
        raise TrainingError(
            f"{path} is damaged, or of another version of edgecnn ({first_line(problem)}); begin another run"
        ) from None
