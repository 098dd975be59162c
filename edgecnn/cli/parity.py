"""``edgecnn parity``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from edgecnn_runtime.errors import ParityError, UsageError


def parity(
    model: Annotated[Path, typer.Argument(help="The .keras file, or the folder of its run.")],
    files: Annotated[list[Path], typer.Argument(help="Exported .tflite and .onnx files.")],
    data: Annotated[
        Path | None,
        typer.Option(
            help="Photographs whose test part to compare on, or data folder of CIFAR-10.", show_default="CIFAR-10"
        ),
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Compare on the 1,000 bundled images of CIFAR-10.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare exported files with their Keras model once more.

    Every file runs in every installed interpreter, on CIFAR-10's 10,000 test images or on those of --data. Ends with
    status 1 when one is outside its tolerance.

    Example: edgecnn parity runs/baseline runs/baseline/*.tflite runs/baseline/*.onnx
    """
    from edgecnn.cli.console import decoding, json_text, say, tell
    from edgecnn.cli.tables import percent, show_parity
    from edgecnn.data import samples
    from edgecnn.data import source as sources
    from edgecnn.training import keras_backend
    from edgecnn_export import keras_file
    from edgecnn_export.comparison import complaints
    from edgecnn_export.parity import compare_files

    source = keras_file.locate(model)
    about = keras_file.read_about(source)
    if quick and data:
        raise UsageError("--quick takes images that come with edgecnn, --data others: give one of them")
    labelled = sources.find(data, about.input, about.labels, say, decoding)
    evaluation = samples.test() if quick else labelled.test
    keras_backend.choose_tensorflow("parity")
    accuracy, rows = compare_files(source, files, evaluation)
    if as_json:
        result = {
            "model": str(source),
            "data": evaluation.name,
            "images": len(evaluation),
            "fingerprint": evaluation.fingerprint,
            "reference_accuracy": accuracy,
            "rows": [row.as_dict() for row in rows],
        }
        print(json_text(result, 2))
    else:
        tell(f"{source}: accuracy {percent(accuracy)} on {len(evaluation):,} images of {evaluation.name}")
        show_parity(rows)
    if failures := complaints(rows):
        raise ParityError(f"not the same model: {'; '.join(failures)}")
