"""``edgecnn info``: what a model file says of itself."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from edgecnn.cli.console import json_text, tell
from edgecnn_runtime.errors import ModelFileError, UsageError

if TYPE_CHECKING:
    from edgecnn_runtime.contract import Contract
    from edgecnn_runtime.description import Description, Tensor
    from edgecnn_runtime.model_file import ModelFile

_MOST_LABELS = 12
_MOST_TEXT = 60

_Entries = Iterator[tuple[str, str]]


def info(
    file: Annotated[Path, typer.Argument(help="A .tflite or .onnx file, also one that edgecnn did not write.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    as_card: Annotated[
        bool, typer.Option("--card", help="Print its model card, as export writes it beside the file.")
    ] = False,
) -> None:
    """Print what a model file says of itself.

    That is its contract, and what can be read from the model. No interpreter is needed. Of a file that edgecnn did not
    write, it says what is not known.

    Example: edgecnn info flowers-int8.tflite
    """
    from edgecnn_runtime.model_file import describe

    if as_json and as_card:
        raise UsageError("--json and --card are two ways to print the same: give one of them")
    described = describe(file)
    if as_card:
        print(_card(described), end="")
        return
    if as_json:
        print(json_text(asdict(described), 2))
        return
    tell(described.file)
    for name, text in (*_of_contract(described), *_of_model(described.model)):
        tell(f"  {name:12} {text}".rstrip())


def _card(described: ModelFile) -> str:
    from edgecnn_export.card import card

    if described.contract is None:
        raise ModelFileError(f"{described.file} carries no contract, from which its card would be: export it again")
    return card(described.contract, described.size)


def _of_contract(described: ModelFile) -> _Entries:
    contract = described.contract
    if contract is None:
        yield "model", f"{described.model.format}, {described.size:,} bytes"
        yield "no contract", "edgecnn did not write it, or the contract is lost. Not known are: its labels, whether its"
        yield "", "input is pixels 0..255 or normalised, how pictures are resized, what it was trained on,"
        yield "", "and whether it is still the model that was trained"
        return
    yield (
        "model",
        f"{contract.model}, {contract.precision} {contract.format}, "
        f"{described.size:,} bytes and a contract of {described.contract_size:,}",
    )
    yield "labels", _labels(contract.labels)
    spec = contract.input
    fit = "the largest centred part of" if spec.fit == "crop" else "the whole of"
    yield "input", f"{spec.colour} pixels 0..255, {spec.height} high, {spec.width} wide"
    yield "resize", f"{fit} other pictures, {spec.filter}"
    yield "output", contract.output
    yield "training", _pairs(contract.training)
    yield "calibration", _pairs(contract.calibration)
    yield from _parity(contract.parity)
    yield from _golden(contract)
    yield from (("author", each) for each in (contract.author,) if each)
    yield from (("licence", each) for each in (contract.license,) if each)
    yield "tools", _pairs(contract.tools)
    yield "SHA-256", f"{contract.payload_sha256} of the model"


def _labels(labels: tuple[str, ...]) -> str:
    shown = labels if len(labels) <= _MOST_LABELS else (*labels[: _MOST_LABELS - 2], "...", labels[-1])
    return f"{len(labels):,}: {', '.join(shown)}"


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_short(value)}" for name, value in values.items()) or "none"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= _MOST_TEXT else f"{text[:12]}..."


def _parity(parity: dict[str, Any]) -> _Entries:
    results = parity.get("results")
    yield "parity", _pairs({name: value for name, value in parity.items() if name != "results"})
    # A contract is anybody's JSON: what is not there as expected is left out.
    for each in results if isinstance(results, list) else ():
        if isinstance(each, dict):
            yield "", _result(each)


def _result(values: dict[str, Any]) -> str:
    shown = [
        text.format(value)
        for name, text in (
            ("accuracy", "accuracy {:.2%}"),
            ("change", "{:+.2f} points"),
            ("agreement", "agreement {:.2%}"),
            ("difference", "largest difference {:.1e}"),
            ("latency", "{:.3f} ms"),
        )
        if isinstance(value := values.get(name), float)
    ]
    return f"{values.get('backend')}: {'passed' if values.get('passed') is True else 'FAILED'}: {', '.join(shown)}"


def _golden(contract: Contract) -> _Entries:
    golden = contract.golden
    if golden is None:
        yield "golden", "none: edgecnn verify has nothing to repeat"
    else:
        size = 3 * len(golden.images) // 4
        of = ", ".join(golden.exported)
        yield "golden", f"{golden.count} pictures, {size:,} bytes, with the answers of Keras, {of}"


def _of_model(model: Description) -> _Entries:
    yield "producer", model.producer or "not said"
    yield "versions", _pairs(model.versions)
    yield from _under("inputs", map(_tensor, model.inputs))
    yield from _under("outputs", map(_tensor, model.outputs))
    yield "operators", ", ".join(f"{count} {name}" for name, count in model.operators.items())
    yield "constants", f"{model.parameters:,} numbers, {model.parameter_bytes:,} bytes"
    yield from _under("metadata", (f"{name}: {_short(value)}" for name, value in model.metadata.items()))


def _under(title: str, lines: Iterable[str]) -> _Entries:
    for line in lines:
        yield title, line
        title = ""


def _tensor(tensor: Tensor) -> str:
    shape = "of any shape" if tensor.shape is None else "x".join(map(str, tensor.shape)) or "one number"
    scale = "" if tensor.scale is None else f", real = {tensor.scale:.9g} * (value - {tensor.zero_point})"
    return f"{tensor.name}: {tensor.type} {shape}{scale}"
