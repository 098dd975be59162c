"""The standard's own metadata in an ONNX model: who made it, under which licence, what its input and output are.

After ONNX's ``MetadataProps.md`` and ``TypeDenotation.md``. The labels follow with the contract: see
:mod:`edgecnn_runtime.trailers`.
"""

from __future__ import annotations

from collections.abc import Iterator

from edgecnn_export.description import INPUT, OUTPUT, describe
from edgecnn_export.keras_file import About
from edgecnn_runtime.contract import SCHEMA
from edgecnn_runtime.trailers import fields, head

# Field numbers of ModelProto and of GraphProto.
_PRODUCER, _PRODUCER_VERSION, _DOC_STRING, _GRAPH = 2, 3, 6, 7
_INPUT, _OUTPUT = 11, 12

_IMAGE = ("DATA_BATCH", "DATA_FEATURE", "DATA_FEATURE", "DATA_CHANNEL")


def add(model: bytes, about: About, precision: str) -> bytes:
    """The model with its description.

    Field by field, for protobuf would need three copies of the weights to read and write them.
    """
    import onnx

    words = describe(about, precision)
    entries = {
        "name": words.name,
        "normalization": "none: pixels 0..255 go in as they are (mean 0, std 1)",
        "format_version": str(SCHEMA),
        "model_author": words.author,
        "model_license": words.license,
        "Image.BitmapPixelFormat": "Rgb8",
        "Image.ColorSpaceGamma": "SRGB",
        "Image.NominalPixelRange": "NominalRange_0_255",
    }
    description = onnx.ModelProto(producer_name=words.generator, producer_version=words.version, doc_string=words.text)
    onnx.helper.set_model_props(description, {key: value for key, value in entries.items() if value})
    parts: list[bytes | memoryview] = []
    for number, start, value, end in fields(model, 0, len(model)):
        if number == _GRAPH:
            graph = list(_graph(model, value, end))
            parts += [head(_GRAPH, sum(map(len, graph))), *graph]
        elif number not in (_PRODUCER, _PRODUCER_VERSION, _DOC_STRING):
            parts.append(model[start:end])
    return b"".join([*parts, description.SerializeToString()])


def _graph(model: bytes, start: int, stop: int) -> Iterator[bytes | memoryview]:
    """The fields of the graph, its input and output described."""
    import onnx

    for number, begin, value, end in fields(model, start, stop):
        if number not in (_INPUT, _OUTPUT):
            yield memoryview(model)[begin:end]
            continue
        declared = onnx.ValueInfoProto.FromString(model[value:end])
        declared.doc_string = INPUT if number == _INPUT else OUTPUT
        if number == _INPUT:
            declared.type.denotation = "IMAGE"
            for dimension, denotation in zip(declared.type.tensor_type.shape.dim, _IMAGE, strict=True):
                dimension.denotation = denotation
        yield head(number, declared.ByteSize()) + declared.SerializeToString()
