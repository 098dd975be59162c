"""What can be read from a model without an interpreter; the readers of both formats fill it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

_MOST_SIDES = 32  # more than any model has, and few enough to multiply

Sides = TypeVar("Sides", bound="Sequence[Any]")


@dataclass(frozen=True)
class Tensor:
    """An input or an output.

    Attributes:
        name: in the model.
        type: of its elements, for instance ``uint8``.
        shape: one entry a dimension: its size, a name that stands for it, or -1 where it is free; None where the model
            leaves the whole shape open.
        scale: of the quantization, ``real = scale * (value - zero_point)``; None where there is none, or more than one.
        zero_point: likewise.
    """

    name: str
    type: str
    shape: tuple[int | str, ...] | None
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class Description:
    """What can be read from a model itself.

    Attributes:
        format: ``tflite`` or ``onnx``.
        producer: program that wrote it, or TFLite's description; may be empty.
        inputs: of the main graph, those with a value of their own left out.
        outputs: of the main graph.
        operators: how many times each occurs, in all graphs, the most frequent first.
        parameters: how many numbers its constants hold: the weights, and a few that steer the graph.
        parameter_bytes: what those take.
        versions: of the format, and of the operator sets in ONNX.
        metadata: entries beside the graph; what is not text is given by its size.
    """

    format: str
    producer: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    operators: dict[str, int]
    parameters: int
    parameter_bytes: int
    versions: dict[str, int] = field(default_factory=dict)
    metadata: dict[str, str] = field(default_factory=dict)


def text_or_size(value: bytes) -> str:
    """A metadata value as text, or how long it is."""
    try:
        text = value.rstrip(b"\0").decode()
    except UnicodeDecodeError:
        text = "\0"
    return text if text.replace("\n", " ").isprintable() else f"{len(value):,} bytes"


def check_rank(sides: Sides) -> Sides:
    """The sides of a tensor, if they are not absurdly many; ValueError otherwise."""
    if len(sides) > _MOST_SIDES:
        raise ValueError(f"a tensor of {len(sides)} dimensions")
    return sides
