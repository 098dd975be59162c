"""What a network and its files are made of: the section on layers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgecnn.zoo.layer_table import Layer, layer_table, total
from edgecnn_export.parity import Exported
from edgecnn_runtime.description import Description
from edgecnn_runtime.model_file import describe

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Layers:
    """The layers, and what they have together."""

    layers: list[Layer]
    parameters: int
    multiply_adds: int


def layers(model: keras.Model | None) -> Layers | None:
    """The layer table of a Keras model."""
    if model is None:
        return None
    found = layer_table(model)
    return Layers(found, *total(found))


def operators(files: list[Exported]) -> list[tuple[Exported, Description]]:
    """What is read from each file itself."""
    return [(each, describe(each.path).model) for each in files]
