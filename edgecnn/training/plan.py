"""An epoch's random choices, drawn before it starts.

They depend on the seed and the number of the epoch alone. So every backend trains on the same batches, and a run
that continues at any step needs no random state but those two numbers.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from edgecnn.training.recipe import Recipe


class Plan(NamedTuple):
    """Which image goes where, and what is done to it.

    Attributes:
        order: indices of the images, int32, shape (steps, batch).
        flip: whether an image is mirrored, shape (steps, batch).
        shift: pixels to move down and right, int32, shape (steps, batch, 2).
        hole: centre of the square that is cut out, as shares of height and width, float32, shape (steps, batch, 2).
        paste: share of the image that the one before it in the batch takes, 0 for most, and the centre of that part,
            float32, shape (steps, batch, 3).
        corner: where the window on the image begins, as shares of the room it has above and to the left, float32, shape
            (steps, batch, 2).
    """

    order: npt.NDArray[np.int32]
    flip: npt.NDArray[np.bool_]
    shift: npt.NDArray[np.int32]
    hole: npt.NDArray[np.float32]
    paste: npt.NDArray[np.float32]
    corner: npt.NDArray[np.float32]

    def steps(self, first: int, last: int) -> Plan:
        """The steps ``first`` to ``last`` (exclusive)."""
        return Plan._make(part[first:last] for part in self)


def steps_and_batch(recipe: Recipe, images: int) -> tuple[int, int]:
    """Steps of an epoch over ``images`` images, and images of a step."""
    batch = min(recipe.batch_size, images)
    return images // batch, batch


def draw(recipe: Recipe, images: int, epoch: int) -> Plan:
    """The plan of one epoch over ``images`` images; ``epoch`` counts from 0."""
    rng = np.random.default_rng([recipe.seed, epoch])
    steps, batch = steps_and_batch(recipe, images)
    order = rng.permutation(images)[: steps * batch].astype(np.int32).reshape(steps, batch)
    flip = rng.random((steps, batch)) < 0.5 if recipe.flip else np.zeros((steps, batch), np.bool_)
    shift = rng.integers(-recipe.shift, recipe.shift, (steps, batch, 2), np.int32, endpoint=True)
    hole = _shares(rng, (steps, batch, 2)) if recipe.cutout else np.zeros((steps, batch, 2), np.float32)
    paste = np.zeros((steps, batch, 3), np.float32)
    if recipe.cutmix:
        paste = _shares(rng, (steps, batch, 3))
        paste[..., 0] *= rng.random((steps, batch)) < recipe.cutmix
    corner = _shares(rng, (steps, batch, 2)) if epoch < recipe.crop_epochs else np.zeros((steps, batch, 2), np.float32)
    return Plan(order, flip, shift, hole, paste, corner)


def _shares(rng: np.random.Generator, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
    return rng.random(shape, np.float32)


RESIDENT_BYTES = 2**31
"""Images up to this size stay on the device; of a larger set, each call of the compiled steps brings its own."""


def is_resident(images: Any) -> bool:
    """Whether uint8 images, shape (N, height, width, 3), are few enough to stay on the device."""
    return bool(math.prod(images.shape) <= RESIDENT_BYTES)


def fetch(images: Any, order: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """The images at ``order``, shape (steps, batch), side by side, and their new places, shape (steps, batch)."""
    places = np.arange(order.size, dtype=np.int32).reshape(order.shape)
    return np.asarray(images[order.ravel()]), places
