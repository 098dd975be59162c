"""What a conversion gives, and how it is written with its contract: a model file, a Keras archive, or a folder."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from edgecnn_export import keras_file, saved_model
from edgecnn_runtime import container
from edgecnn_runtime.contract import Contract

if TYPE_CHECKING:
    import keras

Artifact = bytes | dict[str, bytes]
"""A TFLite or ONNX model, or the members of a ``.keras`` archive or a SavedModel by their names."""

IN_KERAS = "edgecnn-contract.json"
IN_SAVED_MODEL = "assets.extra/edgecnn.json"
"""The folder that TensorFlow leaves to other programs."""


def convert(model: keras.Model, about: keras_file.About, form: str) -> dict[str, bytes]:
    """The model in its own floats: the members of a ``savedmodel`` or a ``keras`` archive."""
    return keras_file.convert(model, about) if form == "keras" else saved_model.convert(model)


def size(artifact: Artifact) -> int:
    """Bytes of the model without its contract."""
    return len(artifact) if isinstance(artifact, bytes) else sum(map(len, artifact.values()))


def sealed(artifact: Artifact, contract: Contract) -> Contract:
    """The contract, bound to this model."""
    whole = hashlib.sha256(artifact).hexdigest() if isinstance(artifact, bytes) else digest(artifact)
    return contract.sealed(whole)


def write(path: Path, artifact: Artifact, contract: Contract) -> None:
    """Write the model with its contract to ``path``, anew or over what this wrote before."""
    if isinstance(artifact, bytes):
        path.write_bytes(container.embed(artifact, contract))
        return
    text = sealed(artifact, contract).to_json().encode()
    if contract.format == "keras":
        keras_file.write(path, artifact | {IN_KERAS: text})
    else:
        for name, content in (artifact | {IN_SAVED_MODEL: text}).items():
            file = path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


def digest(members: dict[str, bytes]) -> str:
    """SHA-256 of all members: of the lines "SHA-256 of the content, two spaces, name", by name, as sha256sum writes."""
    lines = (f"{hashlib.sha256(members[name]).hexdigest()}  {name}\n" for name in sorted(members))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
