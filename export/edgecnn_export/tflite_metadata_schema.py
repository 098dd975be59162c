"""The tables of TFLite Metadata that an image classifier needs, and their FlatBuffers encoding.

After ``metadata_schema.fbs``, version 1.5.0, of MediaPipe and of the TensorFlow Lite support library; TensorFlow has
no Python code of it. A table is a tuple whose elements are the schema's fields in the schema's order, so that an
element's position is its field's number; fields that follow the last one named here are left out, as FlatBuffers
allows. A union takes two fields: the number of its kind, and the table.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import flatbuffers
import numpy as np

IDENTIFIER = b"M001"
RGB = 1  # ColorSpaceType
TENSOR_AXIS_LABELS = 2  # AssociatedFileType
IMAGE_PROPERTIES = 2  # of the union ContentProperties
FEATURE_PROPERTIES = 1
NORMALIZATION_OPTIONS = 1  # of the union ProcessUnitOptions


class AssociatedFile(NamedTuple):
    """A member of the archive behind the model."""

    name: str
    description: str
    type: int


class FeatureProperties(NamedTuple):
    """Plain numbers."""


class ImageProperties(NamedTuple):
    """An image."""

    color_space: int


class Content(NamedTuple):
    """What a tensor holds."""

    content_properties_type: int
    content_properties: FeatureProperties | ImageProperties


class NormalizationOptions(NamedTuple):
    """(x - mean) / std, for a program to do before it fills the tensor."""

    mean: list[float]
    std: list[float]


class ProcessUnit(NamedTuple):
    """A step outside of the network."""

    options_type: int
    options: NormalizationOptions


class Stats(NamedTuple):
    """Range of a tensor's values; one number stands for all channels."""

    max: list[float]
    min: list[float]


class TensorMetadata(NamedTuple):
    """An input or an output."""

    name: str
    description: str
    dimension_names: list[str] | None
    content: Content
    process_units: list[ProcessUnit] | None
    stats: Stats
    associated_files: list[AssociatedFile] | None = None


class SubGraphMetadata(NamedTuple):
    """The network."""

    name: str
    description: str | None
    input_tensor_metadata: list[TensorMetadata]
    output_tensor_metadata: list[TensorMetadata]


class ModelMetadata(NamedTuple):
    """The root; of the texts, None is what nobody said."""

    name: str
    description: str
    version: str
    subgraph_metadata: list[SubGraphMetadata]
    author: str | None
    license: str | None
    associated_files: list[AssociatedFile] | None
    min_parser_version: str


def encode(metadata: ModelMetadata) -> bytes:
    """The metadata as a FlatBuffer."""
    builder = flatbuffers.Builder()
    builder.Finish(_put(builder, metadata), IDENTIFIER)
    return bytes(builder.Output())


def _put(builder: flatbuffers.Builder, value: Any) -> int:
    """Write a string, a vector or a table, all that it refers to first; its offset."""
    if isinstance(value, str):
        return int(builder.CreateString(value))
    if isinstance(value, list) and isinstance(value[0], float):
        return int(builder.CreateNumpyVector(np.array(value, np.float32)))
    if isinstance(value, list):
        offsets = [_put(builder, each) for each in value]
        builder.StartVector(4, len(offsets), 4)
        for offset in reversed(offsets):
            builder.PrependUOffsetTRelative(offset)
        return int(builder.EndVector())
    scalars = {field: each for field, each in enumerate(value) if isinstance(each, int)}
    below = {
        field: _put(builder, each) for field, each in enumerate(value) if each is not None and field not in scalars
    }
    builder.StartObject(len(value))
    for field, number in scalars.items():
        builder.PrependInt8Slot(field, number, 0)
    for field, offset in below.items():
        builder.PrependUOffsetTRelativeSlot(field, offset, 0)
    return int(builder.EndObject())
