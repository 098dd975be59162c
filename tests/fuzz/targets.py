"""What is fuzzed: bytes go in, and out come an answer or an EdgeCNNError of one line; anything else is a defect."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import numpy as np

from edgecnn_runtime import container, model_file, sheet, trailers, verify
from edgecnn_runtime.classifier import Classifier
from edgecnn_runtime.contract import Contract, InputSpec
from edgecnn_runtime.errors import EdgeCNNError
from edgecnn_runtime.image import pixels

DATA = Path(__file__).parents[1] / "runtime" / "data"
MODELS = {path.name: path.read_bytes() for path in sorted(DATA.glob("tiny-*"))}
PAYLOADS = {name: data[: container.parse(data)[1]] for name, data in MODELS.items()}
CONTRACTS = {name: data[len(PAYLOADS[name]) :] for name, data in MODELS.items()}

SPEC = InputSpec(8, 8)
_LONGEST = 1000

Outcomes = Counter[str]


def image(data: bytes) -> str:
    """The bytes of a picture's file."""
    array = pixels(BytesIO(data), SPEC)
    assert array.shape == (8, 8, 3)
    assert array.dtype == np.uint8
    return "pixels"


def contract(data: bytes) -> str:
    """A contract's JSON; and the same bytes as a sheet of golden pictures and as what follows a model."""
    outcomes = [attempt(each, data) for each in (_sheet, _trailer)]
    read = Contract.from_json(data)
    assert Contract.from_json(read.to_json()).labels == read.labels
    for name in MODELS:
        # Sealed, it goes the whole way, through the interpreter; golden pictures too.
        outcomes.append(attempt(model, sealed(name, data)))
    return "a contract, " + outcomes[-1]


def model(data: bytes) -> str:
    """The bytes of a model's file."""
    attempt(_described, data)
    with tempfile.NamedTemporaryFile(dir=_folder()) as file:
        file.write(data)
        file.flush()
        classifier = Classifier.open(file.name, threads=1)
        scores = classifier.scores(
            np.zeros((1, classifier.contract.input.height, classifier.contract.input.width, 3), np.uint8)
        )
        assert scores.shape == (1, len(classifier.contract.labels))
        attempt(_verified, file.name.encode())
    return "a model"


TARGETS: dict[str, Callable[[bytes], str]] = {"image": image, "contract": contract, "model": model}


def attempt(target: Callable[[bytes], str], data: bytes) -> str:
    """What became of the bytes."""
    try:
        return target(data)
    except EdgeCNNError as problem:
        text = str(problem)
        assert text
        assert len(text) < _LONGEST + 4 * len(data)
        return "refused"


def sealed(name: str, text: bytes) -> bytes:
    """A sound model with any text for a contract, which is made to agree with its checksum where it says one."""
    payload = PAYLOADS[name]
    trailer = trailers.tflite_trailer if name.endswith(".tflite") else trailers.onnx_trailer
    labels = b""
    try:
        read = Contract.from_json(text)
        text = read.sealed(container.parse(MODELS[name])[0].payload_sha256).to_json().encode()
        labels = "".join(" ".join(label.split()) + "\n" for label in read.labels).encode("utf-8", "replace")
    except (EdgeCNNError, UnicodeEncodeError):
        pass
    return payload + trailer(len(payload), text, labels)


def _sheet(data: bytes) -> str:
    return str(sheet.unpack(data, 4, 4, 4).shape)


def _trailer(data: bytes) -> str:
    for payload in PAYLOADS.values():
        container.parse(payload + data)
    return "a trailer"


def _described(data: bytes) -> str:
    with tempfile.NamedTemporaryFile(dir=_folder()) as file:
        file.write(data)
        file.flush()
        return model_file.describe(file.name).model.format


def _verified(data: bytes) -> str:
    return str(verify.verify(data.decode(), threads=1).passed)


def _folder() -> str | None:
    memory = Path("/dev/shm")
    return str(memory) if memory.is_dir() else None
