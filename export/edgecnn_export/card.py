"""The model card of a file: what it is, what it was measured to do, what it is for and what it is not for.

After Mitchell et al., "Model Cards for Model Reporting", 2019, https://arxiv.org/abs/1810.03993. All of it is read from
the contract, so that a file whose card is lost can print it again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from edgecnn_export import card_proof, card_use
from edgecnn_export.card_proof import UNKNOWN, share
from edgecnn_export.markdown import bullets, table, text
from edgecnn_runtime.contract import Contract

_PRECISIONS = {
    "fp32": "32-bit floats, as it was trained",
    "fp16": "weights as 16-bit floats",
    "dynamic": "weights as 8-bit integers; the ranges of the values between the layers are found while running",
    "int8": "weights and values between the layers as 8-bit integers",
    "int16x8": "weights as 8-bit integers, values between the layers as 16-bit ones",
}
_FORMATS = {
    "tflite": "a TFLite file",
    "onnx": "an ONNX file",
    "savedmodel": "a TensorFlow SavedModel (a folder)",
    "keras": "a Keras file",
}
_TRAINING = {
    "imported_from": "taken in, by `edgecnn import`, from",
    "pixels": "scale of the pixels that it was trained on, and which is in its first layers now",
    "training_data": "trained on",
    "training_fingerprint": "SHA-256 of that data",
    "recipe": "recipe of `edgecnn train`; its choices are in the run's `recipe.json`",
    "seed": "seed of all random choices",
    "test_accuracy": "accuracy of the Keras model after training, on test images",
}
_MOST_LABELS = 100


def card(contract: Contract, size: int) -> str:
    """The card in Markdown.

    Args:
        contract: of a file that was compared with its Keras model. What is missing in it is said to be not known.
        size: of the model without its contract, in bytes.
    """
    results = card_proof.results_of(contract)
    parts = [
        f"# {text(card_use.file_name(contract))}",
        *_verdict(results),
        f"The network {text(contract.model)} in {text(contract.precision)}, as {_FORMATS[contract.format]}. It gives a "
        f"picture one of {len(contract.labels):,} labels. This card says what the contract in the file says.",
        "## The model",
        bullets(_model(contract, size)),
        "## Intended use and limits",
        bullets(card_use.limits(contract)),
        "## How to use it",
        card_use.usage(contract),
        "## Training",
        *_training(contract),
        "## Accuracy",
        *card_proof.accuracy(contract.parity, results),
        "## Proof that it is still the same model",
        *card_proof.proof(contract, results),
        "## Speed and size",
        *card_proof.speed(contract, size, results),
        "## Repeat the proof",
        card_use.proof(contract),
        "## Made with",
        f"Versions: {text(', '.join(f'{name} {version}' for name, version in contract.tools.items())) or UNKNOWN}",
    ]
    return "\n\n".join(parts) + "\n"


def _verdict(results: list[dict[str, Any]]) -> Iterator[str]:
    if not results:
        yield "**Not proved: this file was not compared with its Keras model.**"
    elif not all(each.get("passed") is True for each in results):
        yield "**Rejected: this file is not the same model as the Keras model. Do not use it.**"


def _model(contract: Contract, size: int) -> Iterator[str]:
    spec = contract.input
    yield f"Network: {text(contract.model)}"
    yield f"Precision: {text(contract.precision)}: {_PRECISIONS.get(contract.precision, UNKNOWN)}"
    if contract.rescue:
        yield "Some layers are kept in float, see below"
    yield (
        f"Input: one picture as {spec.colour} pixels 0..255, {spec.height} high and {spec.width} wide; the "
        "normalisation is in the network"
    )
    part = "the largest centred part of that shape" if spec.fit == "crop" else "the whole, stretched,"
    yield f"A picture of another size: {part} is resized ({spec.filter}); one of this size passes through unchanged"
    yield f"Output: {text(contract.output)}, one for each label in this order"
    yield f"Labels: {_labels(contract.labels)}"
    yield f"Size: {size:,} bytes without the contract"
    yield f"Author: {text(contract.author) or 'not said'}"
    yield f"Licence: {text(contract.license) or 'not said; ask the author before you pass it on'}"
    yield f"SHA-256 of the model: {text(contract.payload_sha256)}"


def _labels(labels: tuple[str, ...]) -> str:
    shown = [text(each) or "(empty)" for each in labels[:_MOST_LABELS]]
    more = f", and {len(labels) - len(shown):,} more, which the file carries" if len(labels) > len(shown) else ""
    return ", ".join(shown) + more


def _training(contract: Contract) -> Iterator[str]:
    if not contract.training:
        yield "Not known: the file does not say."
        return
    rows = []
    for name, value in contract.training.items():
        told = share(value) if name == "test_accuracy" else text(value)
        rows.append((_TRAINING.get(name) or text(name), told))
    yield table(("what", "value"), rows)
    yield card_use.about_data(contract)
