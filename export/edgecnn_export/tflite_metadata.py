"""TFLite Metadata in a TFLite model: with it, MediaPipe and others know labels and input without being told.

The description stands in the model, and names the file ``labels.txt`` in the archive behind it, which
:mod:`edgecnn_runtime.trailers` writes.
"""

from __future__ import annotations

import numpy as np

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
    from tensorflow.lite.tools import flatbuffer_utils

    # TensorFlow's converter ends with the same two calls, so that all else comes out as it was, byte by byte.
    tables = flatbuffer_utils.convert_bytearray_to_object(model)
    graph = tables.subgraphs[0]
    graph.tensors[graph.inputs[0]].name = "pixels"
    graph.tensors[graph.outputs[0]].name = "probabilities"
    buffer, entry = BufferT(), MetadataT()
    buffer.data = np.frombuffer(encode(_metadata(about, precision)), np.uint8)
    entry.name, entry.buffer = ENTRY, len(tables.buffers)
    tables.buffers.append(buffer)
    tables.metadata.append(entry)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(tables))


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
