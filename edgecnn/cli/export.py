"""``edgecnn export``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn import zoo
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    from edgecnn_export.parity import Row


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
        typer.Option("--precision", help="fp32, fp16, dynamic or int8; may be repeated.", show_default="fp32; c: int8"),
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
) -> None:
    """Export a trained network to TFLite and ONNX, each file proved against the Keras model.

    Every file is run in every installed interpreter and compared with the Keras model on real images. One that does
    not give the model's answers is refused: it is not written, and the command ends with status 1.

    Example: edgecnn export runs/baseline --int8

    --format c writes a C header and source of the int8 TFLite file, for microcontrollers. --format savedmodel (a
    folder for TensorFlow) and --format keras write the float model with its contract.

    A network of keras.applications is exported with its ImageNet weights. Half of the pictures of --calibration are
    then what the file and the Keras model must agree on; with labelled ones, named by --data, accuracy counts.
    For instance: edgecnn export vgg16 --int8 --calibration photos/
    """
    from edgecnn.cli.console import decoding, say
    from edgecnn.data import source as sources
    from edgecnn.training import backend
    from edgecnn.zoo import pretrained
    from edgecnn_export import calibration as pictures
    from edgecnn_export import keras_file

    network = None if model.exists() else zoo.NETWORKS.get(str(model))
    if weights and not network:
        raise UsageError(f"--weights goes with the name of a network; {model} is to have its own")
    source = keras_file.locate(model)
    folder = Path() if network else source.parent
    about = pretrained.about(network, weights) if network else keras_file.read_about(source)
    if network and not data:
        if calibration is None:
            raise UsageError(f"{model} is compared on pictures of your own: name their folder with --calibration")
        images, evaluation = pictures.halves(calibration, about.input, about.labels)
    else:
        labelled = sources.find(data, about.input, about.labels, say, decoding)
        evaluation = labelled.evaluation
        images = pictures.from_folder(calibration, about.input) if calibration else labelled.calibration
    backend.choose_tensorflow("export")
    print(
        f"calibration: {len(images):,} images of {images.name}; proof: {len(evaluation):,} of {evaluation.name}",
        flush=True,
    )

    from edgecnn_export.export import export_model

    export_model(
        pretrained.build(network, weights) if network else keras_file.load(source)[0],
        about,
        list(dict.fromkeys(formats or ["tflite", "onnx"])),
        list(dict.fromkeys((precisions or []) + (["int8"] if int8 else []))),
        out or folder,
        images,
        evaluation,
        _report,
    )


def _report(path: Path, rows: list[Row]) -> None:
    refused = any(row.failures for row in rows)
    print(f"{'refused' if refused else 'saved'} {path}", flush=True)
    for row in rows:
        verdict = "; ".join(row.failures) or "passed"
        accuracy = "unknown" if row.accuracy is None else f"{row.accuracy:.2%} ({row.change:+.2f} points)"
        print(
            f"  {row.backend}: {verdict}: accuracy {accuracy}, agreement {row.agreement:.2%}, "
            f"largest difference {row.difference:.1e}, {row.latency:.3f} ms",
            flush=True,
        )
