"""The contract: what a model file promises about itself.

Export writes it, the file carries it (see :mod:`edgecnn_runtime.container`), and it is the only thing the
runtime trusts. It is one JSON object, so that any program can read it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from edgecnn_runtime.errors import ModelFileError

SCHEMA = 1
"""Version of the JSON layout. A runtime refuses a contract with a higher number."""

MAX_VALUES = 1_000_000
"""The most commas and brackets of a contract's text: in memory, a value takes a hundred bytes for its two."""

MAX_DEPTH = 20
"""The most brackets within brackets of it: whoever goes through its values must come to their end."""

FILTERS = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
FITS = ("crop", "stretch")


@dataclass(frozen=True)
class InputSpec:
    """How a picture becomes the network's input.

    The network takes RGB pixels 0..255 as uint8, shape (N, height, width, 3); every normalisation is in its
    graph. A picture of another size is resized with Pillow's ``filter``, after the largest centred part of
    the right shape is cut out (``fit="crop"``) or by stretching the whole (``fit="stretch"``). A picture that
    already has the input size passes through bit for bit.
    """

    height: int
    width: int
    filter: str = "bilinear"
    fit: str = "crop"
    colour: str = "RGB"


@dataclass(frozen=True)
class Golden:
    """A few real images with the answers seen at export, to repeat on any device (:mod:`edgecnn_runtime.verify`).

    Attributes:
        count: number of images.
        images: the images as one lossless WebP sheet (:mod:`edgecnn_runtime.sheet`), base64 text.
        reference: the Keras model's probabilities, shape (count, labels).
        exported: this file's probabilities at export, same shape, in every interpreter that it was run in, by its
            name and version. In eight bits two interpreters differ more from each other than one does from itself
            on another processor, so each has answers of its own to repeat.
    """

    count: int
    images: str
    reference: tuple[tuple[float, ...], ...]
    exported: dict[str, tuple[tuple[float, ...], ...]]


@dataclass(frozen=True)
class Contract:
    """What a model file promises about itself.

    Attributes:
        model: name of the network.
        format: ``tflite`` or ``onnx``; in exports for other programs than this runtime, ``savedmodel`` or ``keras``.
        precision: ``fp32``, ``fp16``, ``dynamic``, ``int8`` or ``int16x8``.
        labels: class names, in the order of the outputs.
        input: how a picture becomes the input.
        output: kind of the outputs; always ``probabilities``.
        training: data name and fingerprint, recipe, measured accuracy.
        calibration: number and fingerprint of the images that set the int8 ranges; empty otherwise.
        parity: how the file compared with the Keras model when it was exported. Accuracies are null where the
            labels of the images are not known: the proof is then the agreement with the Keras model alone.
        rescue: what an int8 file keeps in higher precision, and why; empty for most.
        golden: images and answers for a check on the device.
        author: who made the model; empty where nobody said.
        license: under which it may be used; likewise.
        tools: versions of the programs that made the file, and ``machine``, the kind of processor it was proved on,
            with its model as ``processor`` where that is known.
        payload_sha256: SHA-256 of the model itself, without this contract.
        schema: version of this layout.
    """

    model: str
    format: str
    precision: str
    labels: tuple[str, ...]
    input: InputSpec
    output: str = "probabilities"
    training: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)
    parity: dict[str, Any] = field(default_factory=dict)
    rescue: dict[str, Any] = field(default_factory=dict)
    golden: Golden | None = None
    author: str = ""
    license: str = ""
    tools: dict[str, str] = field(default_factory=dict)
    payload_sha256: str = ""
    schema: int = SCHEMA

    def sealed(self, payload_sha256: str) -> Contract:
        """The same contract, bound to one payload."""
        return replace(self, payload_sha256=payload_sha256)

    def to_json(self) -> str:
        """Compact JSON text, keys in a fixed order; without author and licence where nobody said."""
        said = {key: value for key, value in asdict(self).items() if value or key not in ("author", "license")}
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Contract:
        """Read and check JSON text.

        Raises:
            ModelFileError: the text is not a contract this version understands.
        """
        try:
            _check_size(text if isinstance(text, bytes) else text.encode("utf-8", "replace"))
            return _from_dict(json.loads(text))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as problem:
            raise ModelFileError(f"the contract in the file cannot be read ({problem})") from None


def read_input(data: dict[str, Any]) -> InputSpec:
    """What JSON says of the input.

    Raises:
        TypeError: a field is missing or unknown.
        ValueError: a value is not usable.
    """
    spec = InputSpec(**data)
    if not all(isinstance(size, int) and 1 <= size <= 4096 for size in (spec.height, spec.width)):
        raise ValueError(f"input size {spec.height!r} x {spec.width!r} is not usable")
    if spec.filter not in FILTERS or spec.fit not in FITS or spec.colour != "RGB":
        raise ValueError(f"unknown resize rule {spec.filter!r}, {spec.fit!r}, {spec.colour!r}")
    return spec


def read_labels(data: Any) -> tuple[str, ...]:
    """The class names in JSON.

    Raises:
        ValueError: they are none.
    """
    if not (isinstance(data, list) and data and all(isinstance(label, str) for label in data)):
        raise ValueError("labels must be a list of names")
    return tuple(data)


def _check_size(text: bytes) -> None:
    if sum(map(text.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise ValueError("it is too long")


def _check_depth(data: Any) -> None:
    level = [data]
    for _ in range(MAX_DEPTH):
        inside = (each for value in level for each in (value.values() if isinstance(value, dict) else value))
        level = [each for each in inside if isinstance(each, (dict, list))]
    if level:
        raise ValueError("it is nested too deeply")


def _from_dict(data: dict[str, Any]) -> Contract:
    _check_depth(data)
    schema = data["schema"]
    if not isinstance(schema, int) or schema > SCHEMA:
        raise ValueError(f"schema {schema!r} is newer than this edgecnn understands; upgrade edgecnn")
    spec = read_input(data.pop("input"))
    golden = data.pop("golden")
    labels = read_labels(data.pop("labels"))
    if not all(isinstance(data.get(key, ""), str) for key in ("model", "precision", "output", "author", "license")):
        raise ValueError("model, precision, output, author and license must be text")
    if not all(isinstance(data.get(key, {}), dict) for key in ("training", "calibration", "parity", "rescue", "tools")):
        raise ValueError("training, calibration, parity, rescue and tools must be objects")
    if golden is not None:
        if not (isinstance(golden["count"], int) and isinstance(golden["images"], str)):
            raise ValueError("golden images must be a number of them and a sheet")
        reference = tuple(map(tuple, golden.pop("reference")))
        exported = {backend: tuple(map(tuple, rows)) for backend, rows in golden.pop("exported").items()}
        golden = Golden(**golden, reference=reference, exported=exported)
    return Contract(**data, input=spec, labels=labels, golden=golden)
