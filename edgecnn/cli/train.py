"""``edgecnn train``."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn.cli.console import decoding, say, tell
from edgecnn_runtime.errors import TrainingError, UsageError
from edgecnn_runtime.wording import counted

if TYPE_CHECKING:
    import keras

    from edgecnn.training.devices import Devices
    from edgecnn.training.recipe import Recipe
    from edgecnn.zoo import Network
    from edgecnn_export.dataset import Dataset


def train(
    network: Annotated[str, typer.Argument(help="Name of the network; edgecnn models lists them.")],
    recipe: Annotated[
        str | None,
        typer.Option(
            help="How to train: default, residual, deep-residual, edge, edge-cutout, lesson, transfer or qat. "
            "Or a recipe.json.",
            show_default="the network's; transfer with --pretrained, qat with --qat",
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of the run.", show_default="runs/NETWORK")] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue the run in --out, or the latest unfinished one.")
    ] = False,
    epochs: Annotated[
        int | None, typer.Option(help="Passes over the training images.", show_default="the recipe's")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Images a step.", show_default="the recipe's")] = None,
    lr: Annotated[float | None, typer.Option(help="Highest learning rate.", show_default="the recipe's")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of weights, shuffles and augmentation.", show_default="the recipe's")
    ] = None,
    mixed_precision: Annotated[
        bool | None, typer.Option("--mixed-precision", help="Compute in bfloat16; for GPUs and CPUs that have it.")
    ] = None,
    full: Annotated[
        bool | None,
        typer.Option("--full", help="Train on the validation images too."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder of photographs, a CSV, or data folder of CIFAR-10.", show_default="CIFAR-10"),
    ] = None,
    pretrained: Annotated[
        bool | None, typer.Option("--pretrained", help="Start from the weights that Keras has for ImageNet.")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(help="Start from this run, or this file of weights: .h5, .weights.h5, .keras or .npz."),
    ] = None,
    freeze: Annotated[bool, typer.Option("--freeze", help="Train the new classifier alone, to the end.")] = False,
    unfreeze_after: Annotated[
        int | None, typer.Option(metavar="EPOCHS", help="Train the new classifier alone for so many epochs.")
    ] = None,
    qat: Annotated[
        bool | None,
        typer.Option("--qat", help="Fine-tune the trained network of --weights with int8's rounding in it."),
    ] = None,
    teacher: Annotated[
        Path | None,
        typer.Option(help="Learn the answers of this trained run too."),
    ] = None,
    devices: Annotated[
        int, typer.Option(metavar="N", min=1, help="Divide each batch among so many devices, for instance GPUs.")
    ] = 1,
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Write TensorBoard logs too.")] = False,
) -> None:
    """Train a network on CIFAR-10, or on your own photographs.

    Photographs lie in one sub-folder a class, or in train/ and val/ that hold such sub-folders, or are named in a CSV
    of path,label. They are decoded at the network's own size.

    Example: edgecnn train baseline --recipe lesson --seed 1

    For instance, a pretrained network on photographs: edgecnn train mobilenet_v2 --data photos/ --pretrained

    Ctrl-C saves the state and stops; --resume goes on from there.
    """
    from edgecnn import zoo
    from edgecnn.cli.figures import require_matplotlib
    from edgecnn.training import devices as all_devices
    from edgecnn.training import keras_backend, run
    from edgecnn.training import recipe as recipes
    from edgecnn.training.train import train as train_network
    from edgecnn_export.alone import alone

    keras_backend.available()
    require_matplotlib("train")
    chosen = zoo.find(network)
    changes = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": lr,
        "seed": seed,
        "mixed_precision": mixed_precision,
        "validation": "none" if full else None,
        "pretrained": True if weights else pretrained,
        "weights": str(weights) if weights else "" if pretrained else None,
        "frozen_epochs": unfreeze_after,
        "quantized": qat,
        "teacher": str(teacher) if teacher else None,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    if resume:
        if changes or recipe or freeze:
            raise UsageError(
                "--resume keeps the run's recipe: only --out, --data, --devices and --tensorboard go with it"
            )
        folder, plan = run.to_resume(out, chosen.name, data)
    else:
        plan = recipes.planned(recipe, chosen.recipe, freeze, changes)
    group = all_devices.asked(devices)
    group.divide(plan.batch_size)

    training, watched, test = _images(data, chosen, plan)
    kept = out is not None and out.exists()
    if not resume:
        folder = run.new_folder(out, chosen.name, make=group.first)
    named = f" --data {shlex.quote(str(data))}" if data else ""
    divided = f" --devices {devices}" if devices > 1 else ""
    boards = " --tensorboard" if tensorboard else ""
    with _explained(chosen, plan, folder, f"{named}{divided}{boards}"), ExitStack() as held:
        if group.first and not kept:
            held.enter_context(_gone_if_empty(folder))
        device = _ready(group)
        _announce(chosen, plan, training, folder)
        if group.first:
            held.enter_context(alone(folder))
        with group.together():
            trained = train_network(
                chosen,
                plan,
                training,
                watched,
                folder,
                resume,
                folder / "tensorboard" if tensorboard else None,
                _loader(chosen, plan, training.label_names) if plan.pretrained else None,
                devices=group,
            )
        if not group.first:
            return
        metrics = run.write(folder, chosen, plan, trained, training, test, device)
    tell(f"test accuracy {metrics['test_accuracy']:.2%} on {metrics['test_images']:,} images")
    tell(f"saved {folder}/{run.MODEL}; export it with: edgecnn export {shlex.quote(str(folder))} --int8{named}")


@contextmanager
def _explained(network: Network, plan: Recipe, folder: Path, options: str) -> Iterator[None]:
    """Say what can be done where a training ends before its time: by Ctrl-C, or for want of memory."""
    from edgecnn.training.memory import is_out_of_memory
    from edgecnn.training.train import CHECKPOINT

    try:
        yield
    except Exception as problem:
        if not is_out_of_memory(problem):
            raise
        raise TrainingError(
            f"a batch of {plan.batch_size} images does not fit into the memory; "
            "begin another run with a smaller --batch-size"
        ) from None
    except KeyboardInterrupt:
        if (folder / CHECKPOINT).exists():
            tell(
                "Stopped; the state is saved. Continue with: "
                f"edgecnn train {network.name} --out {shlex.quote(str(folder))}{options} --resume"
            )
        raise


@contextmanager
def _gone_if_empty(folder: Path) -> Iterator[None]:
    """Remove a folder that was made for a run which came to nothing."""
    try:
        yield
    finally:
        with suppress(OSError):  # there is something in it
            folder.rmdir()


def _images(given: Path | None, network: Network, plan: Recipe) -> tuple[Dataset, Dataset | None, Dataset]:
    """The images to learn from, to watch and to test on; all are looked for now, should a photograph be missing."""
    from edgecnn.data import source
    from edgecnn_runtime.contract import InputSpec

    images = source.find(given, InputSpec(network.height, network.width), None, say, decoding)
    match plan.validation:
        case "held-out":
            return *images.split(), images.test
        case "test":
            return images.train, images.test, images.test
        case "none":
            return images.train, None, images.test


def _ready(group: Devices) -> str:
    """Take the devices and say which they are; of several processes, only the first prints from now on."""
    from edgecnn.training import keras_backend

    framework = keras_backend.choose()
    group.join(framework)
    if not group.first:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115
    device = keras_backend.describe(framework) + group.told
    tell(device)
    return device


def _announce(network: Network, plan: Recipe, training: Dataset, folder: Path) -> None:
    """Say what is trained, how and on how much."""
    if plan.validation == "test":
        tell("The lesson watches the test images while it trains; nothing is chosen by them here.")
    classes = len(training.label_names)
    size = f"{network.parameters:,} parameters" if classes == network.classes else f"{classes} classes"
    tell(
        f"{network.name}: {size}; recipe {plan.name}: {counted(plan.epochs, 'epoch')} of "
        f"{len(training):,} images, batches of {plan.batch_size}; in {folder}"
    )


def _loader(network: Network, plan: Recipe, labels: tuple[str, ...]) -> Callable[[keras.Model], list[str]]:
    """What puts the pretrained weights into the model, and says so."""

    def load(model: keras.Model) -> list[str]:
        from edgecnn.zoo import weights

        new = weights.load(model, network, plan.weights_file, labels)
        named = ", ".join(new) or "nothing"
        if plan.frozen_epochs:
            alone = f"learns alone for {counted(min(plan.frozen_epochs, plan.epochs), 'epoch')}"
            named += f", which {alone}" if new else f"; the classifier {alone}"
        tell(f"weights: {plan.weights_file or 'of keras.applications, for ImageNet'}; new: {named}")
        return new

    return load
