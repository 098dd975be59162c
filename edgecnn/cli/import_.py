"""``edgecnn import``."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from edgecnn_runtime.errors import DataError, ExportError, UsageError

if TYPE_CHECKING:
    from edgecnn.importing.pixel_scale import PixelScale
    from edgecnn.importing.standard_form import Theirs
    from edgecnn_export.dataset import Dataset

_SIZE = re.compile(r"(\d{1,4})(?:x(\d{1,4}))?", re.ASCII)
_LARGEST = 2048
FOLDER = Path("imported")


def import_(
    file: Annotated[Path, typer.Argument(help="A .keras or .h5 file that Keras 2 or 3 saved.")],
    labels: Annotated[
        Path | None,
        typer.Option(
            help="Names of the outputs, in their order: one a line, or JSON; or the word imagenet.",
            show_default="those of --data, sorted",
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Labelled photographs, or cifar10: on those to learn from, the scale of the pixels is found.",
            show_default=False,
        ),
    ] = None,
    pixels: Annotated[
        str | None,
        typer.Option(
            metavar="SCALE",
            help="What was done to pixels: 0..255 (nothing), 0..1, -1..1, torch, caffe, or MEAN/DEVIATION in numbers.",
            show_default="found, with --data",
        ),
    ] = None,
    bgr: Annotated[
        bool, typer.Option("--bgr", help="It was trained on blue, green, red, as OpenCV reads pictures.")
    ] = False,
    size: Annotated[
        str | None,
        typer.Option(metavar="HEIGHTxWIDTH", help="Of the pictures, for a network that takes any.", show_default=False),
    ] = None,
    fit: Annotated[
        Literal["stretch", "crop"],
        typer.Option(help="How a picture of another shape fits: Keras's loaders stretch, Teachable Machine crops."),
    ] = "stretch",
    resize: Annotated[
        Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"],
        typer.Option("--filter", help="How it is resized, by Pillow's names."),
    ] = "bilinear",
    out: Annotated[Path | None, typer.Option(help="The file to write.", show_default=f"{FOLDER}/NAME.keras")] = None,
) -> None:
    """Take in a network that others trained, of Keras 2 or 3.

    It can then be exported, proved and run like those of edgecnn train.

    A .keras file does not say what its outputs mean and what was done to pixels before it saw them; guessed wrongly,
    the second costs most of the accuracy, and nobody is told. With --data, the usual ways are tried on labelled
    pictures.
    The result takes RGB pixels 0..255 and gives probabilities, and its answers were compared with those of the file.

    Example: edgecnn import keras_model.h5 --labels labels.txt --data photos/
    """
    from edgecnn.cli.console import decoding, say, tell
    from edgecnn.data import source as sources
    from edgecnn.importing import label_list, model_file, pixel_scale, standard_form
    from edgecnn.training import keras_backend
    from edgecnn.zoo import weight_files
    from edgecnn_export import keras_file
    from edgecnn_runtime.contract import InputSpec

    if labels is None and data is None:
        raise UsageError(f"{file} does not say what its outputs mean: name --labels, or --data with labelled pictures")
    if bgr and pixels is None:
        raise UsageError("--bgr goes with --pixels")
    target, sides = _target(file, out), _sides(size)
    named = label_list.read(labels) if labels else None
    keras_backend.exact(keras_backend.choose())
    theirs = standard_form.find(model_file.load(file), sides)
    given = pixel_scale.find(pixels, theirs.channels, bgr) if pixels else None
    spec = InputSpec(theirs.height, theirs.width, resize, fit)
    images = sources.find(data, spec, named, say, decoding).calibration if data else None
    if images and images.images.shape[1:3] != (theirs.height, theirs.width):
        sizes = ["x".join(map(str, each)) for each in (images.images.shape[1:3], (theirs.height, theirs.width))]
        raise DataError(
            f"the images of {data} are {sizes[0]}, and {file} takes {sizes[1]}; name photographs with --data"
        )
    meant = images.label_names if images else named or ()
    if len(meant) != theirs.classes:
        raise DataError(
            f"{file} tells {theirs.classes:,} labels apart, and {labels or data} names {len(meant):,}: give the names "
            "of its outputs with --labels, in their order"
        )
    tell(
        f"{file}: {theirs.height}x{theirs.width}x{theirs.channels} -> {theirs.outputs}; "
        f"labels: {', '.join(meant[:5])}{', ...' if len(meant) > 5 else ''}"
    )
    scale = _measured(theirs, given, images) if images else given or _included(file, theirs)
    made = standard_form.standard(theirs, scale, target.stem)
    origin = {"imported_from": weight_files.origin(file), "pixels": str(scale)}
    target.parent.mkdir(parents=True, exist_ok=True)
    keras_file.save(target, made, keras_file.About(target.stem, meant, spec, origin))
    proof = f"--data {shlex.quote(str(data))}" if data else "--calibration PICTURES"
    tell(f"saved {target}; export it with: edgecnn export {shlex.quote(str(target))} --int8 {proof}")


def _target(file: Path, out: Path | None) -> Path:
    """The file to write, which may be there only as an earlier import."""
    from edgecnn_export import keras_file

    plain = re.sub(r"[^0-9A-Za-z_.-]+", "-", file.stem).strip(".-") or "model"
    target = out or FOLDER / f"{plain}.keras"
    if target.suffix != ".keras" or not keras_file.NAME.fullmatch(target.stem):
        raise UsageError(
            f"--out {target} must end in .keras, and before that hold nothing but letters, digits, _, - and dots: "
            "exported files are called after it"
        )
    if target.exists() and not _is_imported(target):
        raise UsageError(f"{target} is there and is not of an earlier import; choose another --out")
    return target


def _is_imported(target: Path) -> bool:
    from edgecnn_export import keras_file

    try:
        return "imported_from" in keras_file.read_about(target).training
    except ExportError:
        return False


def _sides(size: str | None) -> tuple[int, int] | None:
    if size is None:
        return None
    if not (sides := _SIZE.fullmatch(size)) or not all(
        1 <= int(side or sides[1]) <= _LARGEST for side in sides.groups()
    ):
        raise UsageError(
            f"--size {size} is no size in pixels, 1 to {_LARGEST:,} a side; write HEIGHTxWIDTH, for instance 224x224"
        )
    return int(sides[1]), int(sides[2] or sides[1])


def _included(file: Path, theirs: Theirs) -> PixelScale:
    """That of a network which scales the pixels itself; of others it is not known."""
    from edgecnn.cli.console import tell
    from edgecnn.importing import beginning, pixel_scale

    if not beginning.scales_pixels(theirs.model):
        raise UsageError(
            f"{file} does not say how its pixels were scaled: name --pixels (most often 0..1, -1..1 or 0..255), or "
            "--data with labelled pictures to find it"
        )
    tell("pixels 0..255: its first layers scale them")
    return pixel_scale.find("0..255", theirs.channels, bgr=False)


def _measured(theirs: Theirs, given: PixelScale | None, images: Dataset) -> PixelScale:
    """The scale that was named, or else the one with which the network knows the images."""
    from edgecnn.cli.console import measuring, say, tell
    from edgecnn.cli.tables import show
    from edgecnn.importing import fitting

    fits = fitting.tried(theirs, images, given, measuring)
    tell(f"tried on {len(images):,} images of {images.name}")
    show(
        ("pixels", "right"),
        [(str(each.scale), f"{each.accuracy:.1%}") for each in fits],
        text_columns=1,
    )
    taken = next((each for each in fits if each.scale == given), fits[0])
    fitting.require_fit(taken, fits if given is None else [taken], images)
    alike = fitting.equally_good(fits)
    if given is None and alike:
        others = "; ".join(str(each.scale) for each in alike)
        say(f"these images do not tell pixels {taken.scale} from {others}: name --pixels, if you know it")
    if taken is not fits[0] and taken not in alike:
        say(f"with pixels {fits[0].scale} the network knows more of them than with {taken.scale}, which was named")
    tell(f"pixels {taken.scale}")
    return taken.scale
