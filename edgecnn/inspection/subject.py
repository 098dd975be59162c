"""What is looked into: a Keras model with its labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from edgecnn_export.dataset import Dataset
from edgecnn_export.keras_file import About

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Subject:
    """A trained Keras model.

    Attributes:
        model: takes RGB pixels 0..255 and gives probabilities.
        about: what it is.
    """

    model: keras.Model
    about: About

    def scores(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities, shape (labels,), for one picture, shape (height, width, 3).

        Raises:
            ExportError: the model is no classifier of such pictures.
        """
        from edgecnn_export.reference import reference_scores

        picture = Dataset("picture", pixels[np.newaxis], np.zeros(1, np.int64), self.about.labels)
        return np.asarray(reference_scores(self.model, picture)[0])
