"""``edgecnn inspect``: see what a network sees."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgecnn.cli.console import drawing, hiding, tell
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    from edgecnn.inspection.look import Drawn

_EXPORTED = (".tflite", ".onnx")
TOP = 3


def inspect(
    words: Annotated[
        list[Path],
        typer.Argument(
            metavar="[MODEL] IMAGE",
            help="A network by name, a .keras file, a run's folder or an exported file, and a picture; with --kernel "
            "the picture alone.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the pictures.", show_default="inspect/MODEL-IMAGE")
    ] = None,
    layer: Annotated[str | None, typer.Option(help="Show this layer alone.", show_default="all stages")] = None,
    top: Annotated[
        int | None, typer.Option(min=1, max=8, help="For how many of the best classes.", show_default="3")
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="ImageNet weights of a named network: .h5, .weights.h5, .keras or .npz.", show_default="Keras's"
        ),
    ] = None,
    kernel: Annotated[
        str | None,
        typer.Option(
            help="Show a convolution by hand: blur, sharpen, edge, or a square of numbers, row by row, with commas.",
            show_default=False,
        ),
    ] = None,
    stride: Annotated[
        int | None, typer.Option(min=1, max=4096, help="Of the kernel, in pixels.", show_default="1")
    ] = None,
    padding: Annotated[
        Literal["same", "valid"] | None, typer.Option(help="Of the kernel: zeros around, or none.", show_default="same")
    ] = None,
) -> None:
    """Draw what a network sees in a picture.

    The filters of its first layers, the feature maps of each convolution and pool, and for the best classes where the
    evidence is (Grad-CAM). An exported file has no gradients: there, parts of the picture are hidden.

    Example: edgecnn inspect resnet8 docs/pictures/frog.png

    With --kernel it is the convolution by hand: one kernel on the picture, strides, padding and pooling, with the
    sizes. For instance: edgecnn inspect --kernel edge docs/pictures/frog.png --stride 2
    """
    from edgecnn.cli.figures import require_matplotlib

    require_matplotlib("inspect")
    if kernel is not None:
        if len(words) != 1:
            raise UsageError("--kernel takes one picture and no model")
        if layer or weights or top:
            raise UsageError("--layer, --top and --weights go with a model, and not with --kernel")
        _by_hand(words[0], kernel, stride or 1, padding or "same", out)
        return
    if len(words) != 2:
        raise UsageError("name a model and a picture, or a --kernel and a picture")
    if stride or padding:
        raise UsageError("--stride and --padding go with --kernel")
    model, image = words
    if model.suffix not in _EXPORTED:
        _keras(model, weights, image, top or TOP, layer, out)
        return
    if layer or weights:
        raise UsageError(f"--layer and --weights go with a Keras model; {model} is an exported file")
    _exported(model, image, top or TOP, out)


def _by_hand(image: Path, kernel: str, stride: int, padding: Literal["same", "valid"], out: Path | None) -> None:
    import numpy as np

    from edgecnn.inspection.by_hand import pictures
    from edgecnn.inspection.convolution import KERNELS, kernel_of
    from edgecnn.training import keras_backend
    from edgecnn_runtime.image import load

    numbers, picture = kernel_of(kernel), np.array(load(image))
    keras_backend.choose()
    folder = out or _folder(kernel if kernel in KERNELS else "kernel", image)
    _draw(folder, lambda where: pictures(where, picture, numbers, stride, padding))


def _keras(model: Path, weights: Path | None, image: Path, top: int, layer: str | None, out: Path | None) -> None:
    from edgecnn import trained_model
    from edgecnn.inspection.look import into_model
    from edgecnn.inspection.subject import Subject
    from edgecnn.training import keras_backend
    from edgecnn_runtime.image import pixels

    found = trained_model.find(model, weights)
    picture = pixels(image, found.about.input)
    keras_backend.choose()
    subject = Subject(found.load(), found.about)
    folder = out or _folder(model.resolve().name if model.is_dir() else found.about.name, image)
    _draw(folder, lambda where: into_model(where, subject, picture, top, layer), f"{found.source}, {image.name}")


def _exported(model: Path, image: Path, top: int, out: Path | None) -> None:
    from edgecnn.inspection.look import into_file
    from edgecnn_runtime import Classifier
    from edgecnn_runtime.image import pixels

    classifier = Classifier.open(model)
    picture = pixels(image, classifier.contract.input)
    folder = out or _folder(model.stem, image)
    _draw(folder, lambda where: into_file(where, classifier, picture, top, hiding), f"{model.name}, {image.name}")


def _folder(name: str, image: Path) -> Path:
    return Path("inspect", f"{name}-{image.stem}")


def _draw(folder: Path, pictures: Callable[[Path], Iterator[Drawn]], sheet: str = "") -> None:
    """Draw all pictures, and if it has a title a contact sheet, into a folder, and print a line for each."""
    from edgecnn.inspection.folder import filled
    from edgecnn.inspection.look import contact_sheet

    with filled(folder) as begun:
        drawn = []
        for each in pictures(begun):
            drawn.append(each)
            drawing(each.shows)
        if sheet:
            drawn.append(contact_sheet(begun, drawn, sheet))
    drawing("")
    for each in drawn:
        tell(f"{folder / each.file.name}: {each.shows}")
