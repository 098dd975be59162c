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
    """

    order: npt.NDArray[np.int32]
    flip: npt.NDArray[np.bool_]
    shift: npt.NDArray[np.int32]

    def steps(self, first: int, last: int) -> Plan:
        """The steps ``first`` to ``last`` (exclusive)."""
        return Plan(self.order[first:last], self.flip[first:last], self.shift[first:last])


def draw(recipe: Recipe, images: int, epoch: int) -> Plan:
    """The plan of one epoch over ``images`` images; ``epoch`` counts from 0."""
    rng = np.random.default_rng([recipe.seed, epoch])
    batch = min(recipe.batch_size, images)
    steps = images // batch
    order = rng.permutation(images)[: steps * batch].astype(np.int32).reshape(steps, batch)
    flip = rng.random((steps, batch)) < 0.5 if recipe.flip else np.zeros((steps, batch), np.bool_)
    shift = rng.integers(-recipe.shift, recipe.shift, (steps, batch, 2), np.int32, endpoint=True)
    return Plan(order, flip, shift)


RESIDENT_BYTES = 2**31
"""Images up to this size stay on the device; of a larger set, each call of the compiled steps brings its own."""


def is_resident(images: Any) -> bool:
    """Whether uint8 images, shape (N, height, width, 3), are few enough to stay on the device."""
    return bool(math.prod(images.shape) <= RESIDENT_BYTES)


def fetch(images: Any, order: npt.NDArray[np.int32]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """The images at ``order``, shape (steps, batch), side by side, and their new places, shape (steps, batch)."""
    places = np.arange(order.size, dtype=np.int32).reshape(order.shape)
    return np.asarray(images[order.ravel()]), places


def gather(images: Any, order: Any, flip: Any, shift: Any, augment: bool) -> Any:
    """One batch of augmented images, float32, shape (batch, height, width, 3), under any Keras backend.

    Flips and shifts only decide which pixel is read, so the batch is one gather from the uint8 images, shape
    (N, height, width, 3), and nothing is padded or copied on the way.
    """
    from keras import ops

    if not augment:
        return ops.cast(ops.take(images, order, axis=0), "float32")
    _, height, width, channels = images.shape
    rows = _mirror(ops.arange(height, dtype="int32")[None, :] - shift[:, :1], height)
    columns = ops.arange(width, dtype="int32")[None, :]
    columns = _mirror(ops.where(flip[:, None], width - 1 - columns, columns) - shift[:, 1:], width)
    pixel = (order[:, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]
    pixels = ops.reshape(images, (-1, channels))
    return ops.cast(ops.take(pixels, pixel, axis=0), "float32")


def _mirror(index: Any, size: int) -> Any:
    """Indices beyond an edge, read back inward; the edge pixel itself is not repeated."""
    from keras import ops

    return (size - 1) - ops.abs((size - 1) - ops.abs(index))
