"""A trained Keras model by a word: its file, the folder of its run, or the name of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edgecnn import zoo
from edgecnn.zoo import pretrained
from edgecnn_export import keras_file
from edgecnn_export.keras_file import About
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    import keras

MODELS = Path("models")
"""Where trained networks are found by their name."""


@dataclass(frozen=True)
class TrainedModel:
    """A model that is there, and is not loaded yet.

    Attributes:
        about: what it is.
        file: its ``.keras`` file; None for a network with ImageNet weights.
        load: gives the model, from pixels 0..255 to probabilities, or raises ExportError or DataError.
    """

    about: About
    file: Path | None
    load: Callable[[], keras.Model]

    @property
    def source(self) -> str:
        """Its file, or the name of the network."""
        return str(self.file or self.about.name)

    @property
    def folder(self) -> Path:
        """Where its exports go, if nobody says: beside the file, or here."""
        return self.file.parent if self.file else Path()


def find(word: Path, weights: Path | None) -> TrainedModel:
    """A ``.keras`` file, the folder of a run, or a network by name.

    A network that was trained here is ``models/NAME.keras``; one of ``keras.applications`` has its ImageNet weights,
    from the file ``weights`` if it is given.

    Raises:
        UsageError: there is no such network, or no trained one.
        ExportError: the file cannot be read.
        DataError: the weights cannot be.
    """
    file = keras_file.locate(word)
    if not word.exists() and str(word) == word.stem:
        file = MODELS / f"{word}.keras"
        if weights or not file.exists():
            network = zoo.find(str(word))
            return TrainedModel(pretrained.about(network, weights), None, lambda: pretrained.build(network, weights))
    if weights:
        raise UsageError(f"--weights goes with the name of a network; {word} is to have its own")
    return TrainedModel(keras_file.read_about(file), file, lambda: keras_file.load(file)[0])
