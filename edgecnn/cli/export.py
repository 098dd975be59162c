"""``edgecnn export``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    from edgecnn_export.dataset import Dataset


def export(
    model: Annotated[
        Path,
        typer.Argument(help="A .keras file of edgecnn train, the folder of its run, or the name of a network."),
    ],
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="tflite, onnx, c (for microcontrollers), savedmodel or keras; may be repeated.",
            show_default="tflite and onnx",
        ),
    ] = None,
    precisions: Annotated[
        list[str] | None,
        typer.Option(
            "--precision",
            help="fp32, fp16, dynamic, int8 or int16x8; may be repeated.",
            show_default="fp32; c: int8",
        ),
    ] = None,
    int8: Annotated[bool, typer.Option("--int8", help="Short for --precision int8.")] = False,
    out: Annotated[Path | None, typer.Option(help="Folder of the files.", show_default="the model's")] = None,
    calibration: Annotated[
        Path | None,
        typer.Option(help="Folder of pictures that set the int8 ranges.", show_default="training images of --data"),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            help="Photographs whose test part to compare on, or data folder of CIFAR-10.", show_default="CIFAR-10"
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="ImageNet weights of a named network: .h5, .weights.h5, .keras or .npz.", show_default="Keras's"
        ),
    ] = None,
    max_drop: Annotated[
        float | None,
        typer.Option(
            metavar="POINTS",
            help="Largest loss of accuracy.",
            show_default="0 for fp32, 0.5 for int8, 0.1 for the others",
        ),
    ] = None,
    no_rescue: Annotated[
        bool, typer.Option("--no-rescue", help="Refuse an int8 file that loses more, and keep no layer in float.")
    ] = False,
    calibration_method: Annotated[
        str, typer.Option(help="How ONNX ranges are found: minmax, entropy or percentile.")
    ] = "minmax",
    debug_layers: Annotated[
        bool, typer.Option("--debug-layers", help="Print and plot the error of every layer of an int8 file.")
    ] = False,
    author: Annotated[str, typer.Option(help="Who made the model, noted in the files.", show_default=False)] = "",
    licence: Annotated[
        str, typer.Option("--license", help="Its licence, likewise, for instance Apache-2.0.", show_default=False)
    ] = "",
) -> None:
    """Export to TFLite and ONNX, each file proved the same model.

    Every file is run in every installed interpreter and compared with the Keras model on real images. An int8 file that
    loses too much keeps the fewest layers in float with which it does not. A file that still does not give the model's
    answers is kept as *.rejected only, and the command ends with status 1.

    Example: edgecnn export runs/baseline --int8

    --format c writes a C header and source of the int8 TFLite file, for microcontrollers. --format savedmodel (a folder
    for TensorFlow) and --format keras write the float model with its contract.

    A name is that of models/NAME.keras or, if there is none, of a network of keras.applications with its ImageNet
    weights. Without --data, where CIFAR-10 is not what a network knows, half of the pictures of --calibration are what
    the file and the Keras model must agree on; with labelled ones accuracy counts. For instance:
    edgecnn export vgg16 --int8 --calibration photos/
    """
    from edgecnn import trained_model
    from edgecnn.cli.console import decoding, say, tell
    from edgecnn.cli.figures import require_matplotlib
    from edgecnn.data import cifar10
    from edgecnn.data import source as sources
    from edgecnn.training import keras_backend
    from edgecnn_export import calibration as pictures
    from edgecnn_export.export import calibrated, export_model
    from edgecnn_export.options import Options

    options = Options(max_drop, not no_rescue, calibration_method, debug_layers)
    formats = list(dict.fromkeys(formats or ["tflite", "onnx"]))
    precisions = list(dict.fromkeys((precisions or []) + (["int8"] if int8 else [])))
    ranged = calibrated(formats, precisions)
    found = trained_model.find(model, weights)
    about = found.about
    unlabelled = not data and not cifar10.fits(about.input, about.labels)
    if calibration and not ranged and not unlabelled:
        raise UsageError("--calibration sets the ranges of int8 files; add --int8")
    if calibration_method != Options.calibration_method and ("onnx", "int8") not in ranged:
        raise UsageError("--calibration-method is how int8 ONNX files are made; add --int8 and --format onnx")
    if debug_layers and "int8" not in {precision for _, precision in ranged}:
        raise UsageError("--debug-layers is about int8 files; add --int8")
    if debug_layers:
        require_matplotlib("--debug-layers")
    images: Dataset | None
    if unlabelled:
        if calibration is None:
            raise UsageError(
                f"{model} is compared on pictures of your own: name labelled ones with --data, or a folder of others "
                "with --calibration"
            )
        images, evaluation = pictures.halves(calibration, about.input, about.labels)
    else:
        labelled = sources.find(data, about.input, about.labels, say, decoding)
        evaluation = labelled.evaluation
        images = pictures.from_folder(calibration, about.input) if calibration else None
        if ranged and images is None:
            images = labelled.calibration
    keras_backend.choose_tensorflow("export")
    ranges = f"calibration: {len(images):,} images of {images.name}; " if ranged and images is not None else ""
    if found.file and not model.exists():
        tell(f"{model} is {found.file}")
    tell(f"{ranges}proof: {len(evaluation):,} of {evaluation.name}")

    from edgecnn.cli.export_listener import Printer

    export_model(
        found.load(),
        replace(about, author=author or about.author, license=licence or about.license),
        formats,
        precisions,
        out or found.folder,
        images,
        evaluation,
        options,
        Printer(plot=debug_layers),
    )
