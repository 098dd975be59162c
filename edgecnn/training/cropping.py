"""Training on windows of the images, and the model for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgecnn.training.recipe import Recipe
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    import keras

MULTIPLE = 4
"""The windows' rows and columns are multiples of it, so that nothing is left over where a network halves them twice."""


def window(recipe: Recipe, epoch: int, images: tuple[int, ...]) -> tuple[int, int]:
    """Rows and columns that ``epoch``, from 0, sees of each image.

    Args:
        recipe: says which share.
        epoch: from 0.
        images: shape of the images, (N, height, width, 3).
    """
    _, *sides, _ = images
    share = recipe.crop if epoch < recipe.crop_epochs else 1.0
    height, width = (side if share == 1 else _part(share * side, side) for side in sides)
    return height, width


def _part(length: float, side: int) -> int:
    return min(side, max(1, round(length / MULTIPLE)) * MULTIPLE)


def taking(model: keras.Model, size: tuple[int, int], whose: str) -> keras.Model:
    """A model of the same layers, and so the same weights, that takes images of ``size``, rows and columns.

    One that enlarges its images does as much work for a small one.

    Args:
        model: for images of any size.
        size: rows and columns.
        whose: the model, in words for people.

    Raises:
        UsageError: a layer takes one size only, for instance because it has weights for each place of an image.
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
            f"{whose} cannot learn from windows of {size[0]} x {size[1]} pixels; take another recipe, or a file of "
            "this one in which cropped is 0"
        ) from None
