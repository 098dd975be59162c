"""What is looked into: a Keras model with its labels, by a file, a run or the name of a network."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgecnn import zoo
from edgecnn.zoo import pretrained
from edgecnn_export import keras_file
from edgecnn_export.dataset import Dataset
from edgecnn_export.keras_file import About
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    import keras

MODELS = Path("models")
"""Where trained networks are found by their name."""


@dataclass(frozen=True)
class Subject:
    """A trained Keras model.

    Attributes:
        source: its file, or the name of a network with ImageNet weights.
        model: takes RGB pixels 0..255 and gives probabilities.
        about: what it is.
    """

    source: str
    model: keras.Model
    about: About

    def scores(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities, shape (labels,), for one picture, shape (height, width, 3).

        Raises:
            ExportError: the model is no classifier of such pictures.
        """
        from edgecnn_export.parity import reference_scores

        picture = Dataset("picture", pixels[np.newaxis], np.zeros(1, np.int64), self.about.labels)
        return np.asarray(reference_scores(self.model, picture)[0])


def load(name: Path, weights: Path | None) -> Subject:
    """A ``.keras`` file, the folder of a run, or a network by name.

    A network that was trained here is ``models/NAME.keras``; one of ``keras.applications`` has its ImageNet weights,
    from the file ``weights`` if it is given.

    Raises:
        UsageError: there is no such network, or no trained one.
        ExportError: the file cannot be read.
        DataError: the weights cannot be.
    """
    file = keras_file.locate(name)
    if not file.exists() and not file.suffix:
        file = MODELS / f"{name}.keras"
        if weights or not file.exists():
            network = zoo.find(str(name))
            if not network.pretrained and not weights:
                raise UsageError(
                    f"there is no trained {name} in {MODELS}/; name the folder of its run, for instance runs/{name}, "
                    "or its .keras file"
                )
            about = pretrained.about(network, weights)
            return Subject(network.name, pretrained.build(network, weights), about)
    if weights:
        raise UsageError(f"--weights goes with the name of a network; {name} is to have its own")
    return Subject(str(file), *keras_file.load(file))
