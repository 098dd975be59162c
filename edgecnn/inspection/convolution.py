"""The convolution by hand: one kernel on a picture, with the operation that the networks are made of."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgecnn_runtime.errors import UsageError

Padding = Literal["same", "valid"]
Pool = Literal["max", "average"]
Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]

KERNELS: dict[str, Values] = {
    "blur": np.full((3, 3), 1 / 9, np.float32),
    "sharpen": np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float32),
    "edge": np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], np.float32),
}
"""A pixel's neighbourhood averaged; the pixel against its four neighbours; against all eight."""


def kernel_of(text: str) -> Values:
    """A kernel by its name in :data:`KERNELS`, or by its numbers, row by row, with commas between.

    Returns:
        Shape (side, side).

    Raises:
        UsageError: the text is neither, or the numbers make no square.
    """
    if text in KERNELS:
        return KERNELS[text]
    try:
        with np.errstate(over="ignore"):
            numbers = np.array([float(each) for each in text.split(",")]).astype(np.float32)
    except ValueError:
        raise UsageError(
            f"the kernel {text!r} is neither {', '.join(KERNELS)} nor numbers with commas between, for instance "
            "0,-1,0,-1,5,-1,0,-1,0"
        ) from None
    if not np.isfinite(numbers).all():
        raise UsageError(f"the kernel {text!r} has a number that is not finite")
    side = math.isqrt(numbers.size)
    if side * side != numbers.size:
        raise UsageError(
            f"the kernel has {numbers.size} numbers, which make no square; give {side * side} or {(side + 1) ** 2}"
        )
    return numbers.reshape(side, side)


@dataclass(frozen=True)
class Side:
    """How a side of a picture becomes a side of the result, in pixels (Dumoulin and Visin, 2016).

    Attributes:
        input: of the picture.
        window: of the kernel or the pool.
        stride: from one place of the window to the next.
        padding: zeros that are added, on both ends together; the odd one comes last.
    """

    input: int
    window: int
    stride: int
    padding: int

    @classmethod
    def of(cls, size: int, window: int, stride: int, padding: Padding) -> Side:
        """The side with the zeros that ``padding`` adds.

        Raises:
            UsageError: the window is larger than the picture, and nothing is added.
        """
        if padding == "valid":
            if window > size:
                raise UsageError(
                    f"a window of {window} x {window} does not fit into {size} pixels; take a larger picture, "
                    "or a smaller kernel or stride"
                )
            return cls(size, window, stride, 0)
        return cls(size, window, stride, max((math.ceil(size / stride) - 1) * stride + window - size, 0))

    @property
    def output(self) -> int:
        """Of the result."""
        return (self.input + self.padding - self.window) // self.stride + 1

    @property
    def formula(self) -> str:
        """The same in numbers."""
        return f"⌊({self.input} + {self.padding} - {self.window}) / {self.stride}⌋ + 1 = {self.output}"


def sides(picture: Pixels | Values, window: int, stride: int, padding: Padding) -> tuple[Side, Side]:
    """Height and width; raises as :meth:`Side.of`."""
    height, width = picture.shape[:2]
    return Side.of(height, window, stride, padding), Side.of(width, window, stride, padding)


def convolve(picture: Pixels, kernel: Values, stride: int = 1, padding: Padding = "same") -> Values:
    """What the kernel makes of each colour of a picture, as a convolution layer with one filter would.

    Args:
        picture: shape (height, width, channels).
        kernel: shape (side, side). Like every network's it is not turned round before it is laid on the picture.
        stride: from one place to the next, in pixels.
        padding: with zeros, so that the result of stride 1 is as large as the picture; or none.

    Returns:
        Not cut to 0..255; shape as :func:`sides` says, with the channels of the picture.
    """
    from keras import ops

    # Each colour is a picture of one channel.
    return _channels_apart(
        picture,
        lambda x: ops.conv(
            x, kernel[:, :, np.newaxis, np.newaxis], strides=stride, padding=padding, data_format="channels_last"
        ),
    )


def pool(values: Values, kind: Pool, window: int = 2) -> Values:
    """The largest or the mean value of each window, the windows side by side; what is left over is dropped."""
    from keras import ops

    operation = ops.max_pool if kind == "max" else ops.average_pool
    return _channels_apart(
        values, lambda x: operation(x, window, strides=window, padding="valid", data_format="channels_last")
    )


def _channels_apart(values: Pixels | Values, operation: Any) -> Values:
    from keras import ops

    planes = np.moveaxis(values.astype(np.float32), -1, 0)[..., np.newaxis]
    return np.asarray(np.moveaxis(ops.convert_to_numpy(operation(planes))[..., 0], 0, -1), np.float32)
