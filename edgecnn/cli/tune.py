"""``edgecnn tune``."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from edgecnn_runtime.errors import TrainingError
from edgecnn_runtime.wording import counted


def tune(
    network: Annotated[str, typer.Argument(help="Name of the network; edgecnn models lists them.")],
    recipe: Annotated[
        str | None,
        typer.Option(help="Recipe to start from: a name, or a recipe.json.", show_default="the network's"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the search.", show_default="runs/tune-NETWORK")] = None,
    trials: Annotated[int, typer.Option(min=1, help="Recipes to try, in all sittings together.")] = 20,
    epochs: Annotated[int | None, typer.Option(help="Epochs of a trial.", show_default="the recipe's")] = None,
    space: Annotated[
        Path | None, typer.Option(help="JSON file of the fields to search, and their values.", show_default="our own")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the values that are tried.")] = 0,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of photographs, a CSV, or data folder of CIFAR-10.", show_default="CIFAR-10"),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Start every trial from this run, or this file of weights, as train does."),
    ] = None,
) -> None:
    """Search for the recipe that the validation images like best.

    The test images are not looked at. A trial that falls behind the others is stopped early.

    Example: edgecnn tune baseline --trials 30 --epochs 5

    Ctrl-C stops; the same command goes on, and run several times at once, on machines that share the folder too, it
    searches side by side. The best recipe so far is recipe.json in the folder: edgecnn train NETWORK --recipe FILE.
    """
    from edgecnn import zoo
    from edgecnn.training import recipe as recipes
    from edgecnn.tuning import space as spaces
    from edgecnn.tuning import study as studies

    chosen = zoo.find(network)
    base = recipes.planned(
        recipe, chosen.recipe, False, {"pretrained": True, "weights": str(weights)} if weights else {}
    )
    tried = replace(base, epochs=base.epochs if epochs is None else epochs, validation="held-out")
    searched = spaces.read(space or spaces.USUAL, tried)
    folder = out or Path("runs") / f"tune-{chosen.name}"
    studies.require_optuna()

    from edgecnn.cli.console import decoding, say, tell
    from edgecnn.data import source
    from edgecnn.training import keras_backend
    from edgecnn.training.run import RECIPE, is_run
    from edgecnn.training.stage import check_new
    from edgecnn.tuning import findings
    from edgecnn.tuning.search import Task, search
    from edgecnn.zoo.weights import load
    from edgecnn_runtime.contract import InputSpec

    learning, validation = source.find(data, InputSpec(chosen.height, chosen.width), None, say, decoding).split()
    device = keras_backend.describe(keras_backend.choose())
    labels = learning.label_names
    load_weights = partial(load, network=chosen, file=base.weights_file, labels=labels) if base.pretrained else None
    if load_weights:  # what does not fit shows before anything is kept
        check_new(tried, load_weights(chosen.build(len(labels))))
    about = {
        "network": chosen.name,
        "recipe": asdict(tried),
        "space": {name: asdict(each) for name, each in searched.items()},
        "seed": seed,
        "validation": f"{validation.name} {validation.fingerprint}",
        "training": f"{learning.name} {learning.fingerprint}",
    }
    if is_run(folder):
        raise TrainingError(f"{folder} holds a run of edgecnn train; choose another --out")
    study = studies.opened(folder, about, tried.epochs, spaces.start(searched, tried))
    tell(device)
    tell(
        f"{chosen.name}: recipe {base.name}, {counted(tried.epochs, 'epoch')} of {len(learning):,} images, judged by "
        f"{len(validation):,} others; {len(studies.ended(study))} of {trials} trials done; in {folder}"
    )

    def ended(number: int) -> None:
        findings.write(folder, study, base, searched)
        tell(findings.line(study, number))

    task = Task(chosen, tried, searched, learning, validation, load_weights)
    try:
        search(task, study, trials, seed, ended)
    except KeyboardInterrupt:
        tell(f"Stopped; {len(studies.ended(study))} of {trials} trials are done. The same command goes on.")
        raise
    findings.write(folder, study, base, searched)
    best = studies.best(study)
    if best is None:
        raise TrainingError(f"no trial came to its end, {folder / findings.TRIALS} says why; give another --space")
    named = f" --data {shlex.quote(str(data))}" if data else ""
    tell(f"best: trial {best.number}, validation {best.value:.2%} after {counted(tried.epochs, 'epoch')}")
    tell(
        f"saved {folder / RECIPE}; train by it with: "
        f"edgecnn train {chosen.name} --recipe {shlex.quote(str(folder / RECIPE))}{named}"
    )
