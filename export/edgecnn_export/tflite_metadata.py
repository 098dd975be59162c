"""TFLite Metadata in a TFLite model: with it, MediaPipe and others know labels and input without being told.

The description stands in the model, and names the file ``labels.txt`` in the archive behind it, which
:mod:`edgecnn_runtime.trailers` writes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from edgecnn_export import tflite_tables
from edgecnn_export.description import INPUT, OUTPUT, describe
from edgecnn_export.keras_file import About
from edgecnn_export.tflite_metadata_schema import (
    FEATURE_PROPERTIES,
    IMAGE_PROPERTIES,
    NORMALIZATION_OPTIONS,
    RGB,
    TENSOR_AXIS_LABELS,
    AssociatedFile,
    Content,
    FeatureProperties,
    ImageProperties,
    ModelMetadata,
    NormalizationOptions,
    ProcessUnit,
    Stats,
    SubGraphMetadata,
    TensorMetadata,
    encode,
)
from edgecnn_runtime.trailers import LABELS

ENTRY = "TFLITE_METADATA"
_PARSER = "1.0.0"  # the oldest that knows every field in use here


def add(model: bytes, about: About, precision: str) -> bytes:
    """The model with its description, and with names of our own for its input and output."""
    from tensorflow.lite.python.schema_py_generated import BufferT, MetadataT

    tables = tflite_tables.unpack(model)
    graph = tables.subgraphs[0]
    _rename(graph)
    buffer, entry = BufferT(), MetadataT()
    buffer.data = np.frombuffer(encode(_metadata(about, precision)), np.uint8)
    entry.name, entry.buffer = ENTRY, len(tables.buffers)
    tables.buffers.append(buffer)
    tables.metadata.append(entry)
    return tflite_tables.pack(tables)


def _rename(graph: Any) -> None:
    """Give the tensors short names, and input and output their own.

    Where many operations became one, the converter names the result after all of them, which takes a twentieth of a
    small network's file: the first is enough.
    """
    taken = set()
    for number, tensor in enumerate(graph.tensors):
        first = tensor.name.decode().split(";")[0].split("/", 1)[-1]
        tensor.name = first if first not in taken else f"{first}_{number}"
        taken.add(tensor.name)
    graph.tensors[graph.inputs[0]].name = "pixels"
    graph.tensors[graph.outputs[0]].name = "probabilities"


def _metadata(about: About, precision: str) -> ModelMetadata:
    words = describe(about, precision)
    pixels = TensorMetadata(
        "pixels",
        INPUT,
        ["batch", "height", "width", "channel"],
        Content(IMAGE_PROPERTIES, ImageProperties(RGB)),
        [ProcessUnit(NORMALIZATION_OPTIONS, NormalizationOptions([0.0], [1.0]))],
        Stats(max=[255.0], min=[0.0]),
    )
    probabilities = TensorMetadata(
        "probabilities",
        OUTPUT,
        ["batch", "class"],
        Content(FEATURE_PROPERTIES, FeatureProperties()),
        None,
        Stats(max=[1.0], min=[0.0]),
        [AssociatedFile(LABELS, "name of each class, one a line", TENSOR_AXIS_LABELS)],
    )
    return ModelMetadata(
        words.name,
        words.text,
        f"{words.generator} {words.version}",
        [SubGraphMetadata(about.name, None, [pixels], [probabilities])],
        words.author or None,
        words.license or None,
        None,
        _PARSER,
    )
