"""What a model file says of itself, without an interpreter: any TFLite or ONNX file, whoever wrote it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from edgecnn_runtime import container, onnx_reader, tflite_reader
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.description import Description
from edgecnn_runtime.errors import ModelFileError


@dataclass(frozen=True)
class ModelFile:
    """A model file, read but not run.

    Attributes:
        file: its path.
        size: of the model in it, in bytes.
        contract_size: of the contract that follows the model, in bytes.
        contract: what edgecnn promises of it; None in a file that edgecnn did not write.
        model: what is read from the model itself.
    """

    file: str
    size: int
    contract_size: int
    contract: Contract | None
    model: Description


def describe(path: str | os.PathLike[str]) -> ModelFile:
    """Read a TFLite or ONNX file.

    Raises:
        ModelFileError: it is missing, is neither, or is damaged.
    """
    try:
        data = container.read_bytes(path)
        contract, size = container.examine(data)
        return ModelFile(os.fspath(path), size, len(data) - size, contract, _read(data[:size]))
    except ModelFileError as problem:
        raise ModelFileError(f"{os.fspath(path)}: {problem}") from None


READERS = {"tflite": tflite_reader.read, "onnx": onnx_reader.read}


def _read(model: bytes) -> Description:
    try:
        return READERS[container.format_of(model)](model)
    except ValueError as problem:
        raise ModelFileError(f"is damaged ({problem}); copy it again") from None
