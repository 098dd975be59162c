"""A run directory: where it is, and what a finished run leaves in it.

``model.keras`` (what is exported), ``recipe.json``, ``history.csv``, ``metrics.json``, ``checkpoint.npz``, and the
pictures ``curves.png``, ``predictions.png`` and ``confusion.png``.
"""

from __future__ import annotations

import csv
import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn.training import checkpoint, plan
from edgecnn.training.recipe import Recipe
from edgecnn.training.train import CHECKPOINT, Trained
from edgecnn.zoo.network import Network
from edgecnn_export import keras_file
from edgecnn_export.placing import written
from edgecnn_export.reference import predict
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import TrainingError, UsageError

if TYPE_CHECKING:
    from edgecnn_export.dataset import Dataset

MODEL = keras_file.IN_RUN_FOLDER
METRICS = "metrics.json"
RECIPE = "recipe.json"


def is_run(folder: Path) -> bool:
    """Whether a training began in the folder, or ended."""
    return (folder / CHECKPOINT).exists() or (folder / MODEL).exists()


def new_folder(given: Path | None, network: str, make: bool = True) -> Path:
    """Make the folder of a new run: ``given``, else the next free ``runs/NETWORK``, ``runs/NETWORK-2``, ...

    Args:
        given: the folder that was asked for.
        network: name of the network.
        make: False for a process that writes nothing; the folder is looked at all the same.

    Raises:
        TrainingError: ``given`` already holds a run or a search, or cannot be made.
    """
    folder = given or _free_folder(network)
    if is_run(folder):
        raise TrainingError(f"{folder} already holds a run; continue it with --resume or choose another --out")
    if (folder / RECIPE).exists():
        raise TrainingError(f"{folder} already holds a recipe, as edgecnn tune leaves it; choose another --out")
    if not make:
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise TrainingError(f"the folder {folder} cannot be made ({problem.strerror}); choose another --out") from None
    return folder


def to_resume(given: Path | None, network: str, data: Path | None) -> tuple[Path, Recipe]:
    """The folder of the run to continue, ``given`` or else the latest run of the network, and its recipe.

    Args:
        given: the folder that was asked for.
        network: name of the network.
        data: the images that were named; none for CIFAR-10.

    Raises:
        TrainingError: there is none.
        UsageError: it is a run of another network, or learns from images that were not named.
    """
    folder = given or latest(network)
    trained, recipe, _ = checkpoint.peek(folder / CHECKPOINT)
    if trained != network:
        raise UsageError(f"{folder} is a run of {trained}, not of {network}")
    if data is None and not (name := checkpoint.data_name(folder / CHECKPOINT)).startswith("cifar10/"):
        raise UsageError(f"{folder} learns from {name}: name the --data that it began with, too")
    return folder, recipe


def latest(network: str) -> Path:
    """The folder of the latest run of the network that did not come to its end.

    Raises:
        TrainingError: there is none.
    """
    names = (network, f"{network}-*")
    begun = [path for name in names for path in Path("runs").glob(f"{name}/{CHECKPOINT}")]
    runs = [path for path in begun if not path.with_name(METRICS).exists()]
    if not runs:
        raise TrainingError(f"there is no unfinished run of {network} in runs/ to resume; name its folder with --out")
    return max(runs, key=lambda path: path.stat().st_mtime).parent


def _free_folder(network: str) -> Path:
    folder, number = Path("runs") / network, 1
    while folder.exists():
        number += 1
        folder = Path("runs") / f"{network}-{number}"
    return folder


def write(
    folder: Path,
    network: Network,
    recipe: Recipe,
    trained: Trained,
    training: Dataset,
    test: Dataset,
    device: str,
) -> dict[str, Any]:
    """Evaluate on ``test``, write everything, and return what ``metrics.json``, the last file, holds.

    Raises:
        TrainingError: the training has diverged, or the folder cannot be written.
    """
    probabilities = predict(trained.model, test.images)
    if not np.isfinite(probabilities).all():
        raise TrainingError(
            "the network gives no numbers any more, for its training has diverged; begin another run with a lower --lr"
        )
    steps, batch = plan.steps_and_batch(recipe, len(training))
    metrics = {
        "network": network.name,
        "parameters": trained.model.count_params(),
        "recipe": recipe.name,
        "seed": recipe.seed,
        "test_accuracy": float((probabilities.argmax(-1) == test.labels).mean()),
        "test_images": len(test),
        "training_data": training.name,
        "training_images": len(training),
        "training_fingerprint": training.fingerprint,
        "test_fingerprint": test.fingerprint,
        "seconds": round(trained.seconds, 1),
        "images_per_second": round(recipe.epochs * steps * batch / trained.seconds, 1),
        "device": device,
        "python": platform.python_version(),
    }
    try:
        _save(folder, recipe, trained, test, probabilities, metrics)
    except OSError as problem:
        raise TrainingError(
            f"the results cannot be written to {folder} ({problem.strerror or problem}); "
            "the training is saved there: make room, and continue it with --resume"
        ) from None
    return metrics


def _save(
    folder: Path, recipe: Recipe, trained: Trained, test: Dataset, probabilities: Any, metrics: dict[str, Any]
) -> None:
    from edgecnn import plots

    _, height, width, _ = test.images.shape
    about = keras_file.About(
        metrics["network"],
        test.label_names,
        InputSpec(height, width),
        {key: metrics[key] for key in ("training_data", "training_fingerprint", "recipe", "seed", "test_accuracy")},
    )
    keras_file.save(folder / MODEL, trained.model, about)
    with written(folder / RECIPE) as own:
        own.write_text(recipe.to_json())
    with written(folder / "history.csv") as own, own.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(trained.history[0]))
        writer.writeheader()
        writer.writerows(trained.history)
    plots.curves(
        folder / "curves.png",
        trained.history,
        watched="test" if recipe.validation == "test" else "validation",
    )
    plots.predictions(folder / "predictions.png", test, probabilities)
    plots.confusion(folder / "confusion.png", test, probabilities)
    with written(folder / METRICS) as own:
        own.write_text(json.dumps(metrics, indent=2) + "\n")
