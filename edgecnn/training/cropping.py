"""Training on windows of the images, and the model for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecnn.training.recipe import Recipe
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    import keras


def window(recipe: Recipe, epoch: int, images: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns that ``epoch``, from 0, sees of each image.

    Args:
        recipe: says which share.
        epoch: from 0.
        images: shape of the images, (N, height, width, 3).
    """
    share = recipe.crop if epoch < recipe.crop_epochs else 1.0
    _, height, width, _ = images
    return max(1, round(share * height)), max(1, round(share * width))


def taking(model: keras.Model, size: tuple[int, int]) -> keras.Model:
    """A model of the same layers, and so the same weights, that takes images of ``size``, rows and columns.

    Raises:
        UsageError: a layer has weights for each place of an image, so that no other size will do.
    """
    import keras

    if model.input_shape[1:3] == size:
        return model
    try:
        return keras.models.clone_model(
            model, input_tensors=keras.Input((*size, model.input_shape[-1])), clone_function=lambda layer: layer
        )
    except ValueError:
        raise UsageError(
            "the network has weights for each place of an image and cannot learn from windows (cropped)"
        ) from None
