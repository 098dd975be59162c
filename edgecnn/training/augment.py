"""What is done to a batch of images before it is learnt, under any Keras backend."""

from __future__ import annotations

from typing import Any

from edgecnn.training.plan import Plan
from edgecnn.training.recipe import Recipe

GREY = 127.5
"""What a hole is filled with: the middle of a pixel's range, which tells nothing."""


Size = tuple[int, int]


def batch(
    images: Any, labels: Any, places: Any, drawn: Plan, recipe: Recipe, classes: int, size: Size
) -> tuple[Any, Any]:
    """One batch: pixels, float32, shape (batch, *size, 3), and targets, shape (batch, classes).

    Args:
        images: uint8, shape (N, height, width, 3).
        labels: of all images of the set, int32.
        places: where in ``images`` the batch's images lie, int32, shape (batch,).
        drawn: the plan of this one step; its arrays have no axis of steps.
        recipe: says what is done.
        classes: how many there are.
        size: rows and columns of the window on each image.
    """
    from keras import ops

    kept = None
    if recipe.cutmix:
        pasted, kept = _box(drawn.paste, *size)
        places = ops.where(pasted, ops.roll(places, 1)[:, None, None], places[:, None, None])
    pixels = gather(images, places, drawn, recipe, size)
    if recipe.cutout:
        # A square that the border cuts off (DeVries and Taylor, 2017).
        hole = _inside(drawn.hole, recipe.cutout, recipe.cutout, *size)
        pixels = ops.where(hole[..., None], GREY, pixels)
    target = ops.one_hot(ops.take(labels, drawn.order, axis=0), classes)
    if kept is not None:
        target = kept[:, None] * target + (1 - kept[:, None]) * ops.roll(target, 1, axis=0)
    return pixels, target


def gather(images: Any, places: Any, drawn: Plan, recipe: Recipe, size: Size) -> Any:
    """Windows on flipped and shifted images, float32, shape (batch, *size, 3).

    Windows, flips, shifts and pasting only decide which pixel is read, so the batch is one gather from the uint8
    images, shape (N, height, width, 3), and nothing is padded or copied on the way.

    Args:
        images: uint8, shape (N, height, width, 3).
        places: of the image that each pixel is read from, int32, shape (batch,) or (batch, *size).
        drawn: the plan of this one step.
        recipe: says what is done.
        size: rows and columns of a window.
    """
    from keras import ops

    _, height, width, channels = images.shape
    if not (recipe.flip or recipe.shift or recipe.cutmix or size != (height, width)):
        return ops.cast(ops.take(images, places, axis=0), "float32")
    rows = _window(drawn.corner[:, :1], size[0], height)
    rows = _mirror(rows - drawn.shift[:, :1], height)
    columns = _window(drawn.corner[:, 1:], size[1], width)
    columns = _mirror(ops.where(drawn.flip[:, None], width - 1 - columns, columns) - drawn.shift[:, 1:], width)
    image = places if len(places.shape) == 3 else places[:, None, None]
    pixel = (image * height + rows[:, :, None]) * width + columns[:, None, :]
    pixels = ops.reshape(images, (-1, channels))
    return ops.cast(ops.take(pixels, pixel, axis=0), "float32")


def _window(corner: Any, size: int, whole: int) -> Any:
    """The rows or columns, int32, shape (batch, size), of a window that begins at ``corner``, shape (batch, 1)."""
    from keras import ops

    return ops.arange(size, dtype="int32")[None, :] + ops.cast(ops.floor(corner * (whole - size + 1)), "int32")


def _mirror(index: Any, size: int) -> Any:
    """Indices beyond an edge, read back inward; the edge pixel itself is not repeated."""
    from keras import ops

    return (size - 1) - ops.abs((size - 1) - ops.abs(index))


def _box(paste: Any, height: int, width: int) -> tuple[Any, Any]:
    """Where pixels of another image stand, shape (batch, height, width), and the share that is left (Yun et al., 2019).

    Args:
        paste: share of the area to be pasted, before the border cuts it off, and the centre; shape (batch, 3).
        height: of the images.
        width: likewise.
    """
    from keras import ops

    side = ops.sqrt(paste[:, :1])
    inside = _inside(paste[:, 1:], side * height, side * width, height, width)
    return inside, 1 - ops.mean(ops.cast(inside, "float32"), axis=(1, 2))


def _inside(centre: Any, tall: Any, wide: Any, height: int, width: int) -> Any:
    from keras import ops

    def line(at: Any, length: Any, size: int) -> Any:
        return ops.abs(ops.arange(size, dtype="float32")[None, :] + 0.5 - at * size) < length / 2

    return line(centre[:, :1], tall, height)[:, :, None] & line(centre[:, 1:], wide, width)[:, None, :]
