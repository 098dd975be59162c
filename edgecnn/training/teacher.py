"""The trained network whose answers another one learns: knowledge distillation (Hinton et al., 2015)."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from edgecnn.training.folding import folded
from edgecnn.training.precision import in_bfloat16
from edgecnn.training.recipe import Recipe
from edgecnn_export import keras_file
from edgecnn_runtime.errors import TrainingError

if TYPE_CHECKING:
    import keras

    from edgecnn_export.dataset import Dataset


def fingerprint(recipe: Recipe) -> str:
    """SHA-256 of the file of the recipe's teacher; empty without one.

    Raises:
        ExportError: the file is missing or is not one of edgecnn's.
    """
    if not recipe.teacher:
        return ""
    file = keras_file.locate(Path(recipe.teacher))
    keras_file.read_about(file)
    return hashlib.sha256(file.read_bytes()).hexdigest()


def load(recipe: Recipe, data: Dataset) -> keras.Model:
    """The recipe's teacher, for the images and the labels of ``data``.

    Raises:
        TrainingError: it tells other classes apart, or takes images of another size.
        ExportError: the file is missing or is not one of edgecnn's.
    """
    file = keras_file.locate(Path(recipe.teacher))
    model, about = keras_file.load(file)
    if about.labels != tuple(data.label_names):
        raise TrainingError(f"the teacher {file} knows other classes than the images have; train it on the same ones")
    if model.input_shape[1:] != data.images.shape[1:]:
        sizes = ["x".join(map(str, shape[1:3])) for shape in (model.input_shape, data.images.shape)]
        raise TrainingError(f"the teacher {file} takes images of {sizes[0]} pixels; these have {sizes[1]}")
    quick = folded(model)
    quick.trainable = False
    return in_bfloat16(quick) if recipe.mixed_precision else quick
