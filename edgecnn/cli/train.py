"""``edgecnn train``."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from edgecnn_runtime.errors import UsageError


def train(
    network: Annotated[str, typer.Argument(help="Name of the network; edgecnn models lists them.")],
    recipe: Annotated[str | None, typer.Option(help="How to train: default or lesson.", show_default="default")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.", show_default="runs/NETWORK")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out, or the latest one.")] = False,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training images.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step.")] = None,
    lr: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of weights, shuffles and augmentation.")] = None,
    mixed_precision: Annotated[
        bool | None, typer.Option("--mixed-precision", help="Compute in bfloat16; for GPUs that have it.")
    ] = None,
    full: Annotated[
        bool | None,
        typer.Option("--full", help="Train on the validation images too."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of photographs, a CSV, or data folder of CIFAR-10.", show_default="CIFAR-10"),
    ] = None,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write TensorBoard logs too.")] = False,
) -> None:
    """Train a network on CIFAR-10, or on your own photographs.

    Photographs lie in one sub-folder a class, or in train/ and val/ that hold such sub-folders, or are named in a CSV
    of path,label. They are decoded at the network's own size.

    Example: edgecnn train baseline --recipe lesson --seed 1

    Ctrl-C saves the state and stops; --resume goes on from there.
    """
    from edgecnn import zoo
    from edgecnn.training import backend, checkpoint, run
    from edgecnn.training import recipe as recipes
    from edgecnn.training.train import CHECKPOINT
    from edgecnn.training.train import train as train_network

    chosen = zoo.find(network)
    changes = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": lr,
        "seed": seed,
        "mixed_precision": mixed_precision,
        "validation": "none" if full else None,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    plan = replace(recipes.find(recipe or recipes.DEFAULT.name), **changes)  # type: ignore[arg-type]
    if resume:
        if changes or recipe:
            raise UsageError("--resume keeps the run's recipe: only --out, --data and --tensorboard go with it")
        folder = run.folder_to_resume(out, chosen.name)
        trained_network, plan, _ = checkpoint.peek(folder / CHECKPOINT)
        if trained_network != chosen.name:
            raise UsageError(f"{folder} is a run of {trained_network}, not of {chosen.name}")

    from edgecnn.cli.console import decoding, say
    from edgecnn.data import source
    from edgecnn_runtime.contract import InputSpec

    images = source.find(data, InputSpec(chosen.height, chosen.width), None, say, decoding)
    training, watched = images.split() if plan.validation == "held-out" else (images.train, None)
    test = images.test  # before the training and not after it, should a photograph be missing
    if not resume:
        folder = run.new_folder(out, chosen.name)
    framework = backend.choose()
    device = backend.describe(framework)
    print(device, flush=True)

    if plan.validation == "test":
        watched = test
        print("The lesson watches the test images while it trains; nothing is chosen by them here.")
    classes, named = len(training.label_names), f" --data {shlex.quote(str(data))}" if data else ""
    size = f"{chosen.parameters:,} parameters" if classes == chosen.classes else f"{classes} classes"
    print(
        f"{chosen.name}: {size}; recipe {plan.name}: {plan.epochs} epochs of "
        f"{len(training):,} images, batches of {plan.batch_size}; in {folder}",
        flush=True,
    )

    try:
        trained = train_network(
            chosen, plan, training, watched, folder, resume, folder / "tensorboard" if tensorboard else None
        )
    except KeyboardInterrupt:
        if (folder / CHECKPOINT).exists():
            again = f"edgecnn train {chosen.name} --out {folder}{named} --resume"
            print(f"Stopped; the state is saved. Continue with: {again}")
        raise
    metrics = run.write(folder, chosen, plan, trained, training, test, device)
    print(f"test accuracy {metrics['test_accuracy']:.2%} on {metrics['test_images']:,} images")
    print(f"saved {folder}/{run.MODEL}; export it with: edgecnn export {folder} --int8{named}")
