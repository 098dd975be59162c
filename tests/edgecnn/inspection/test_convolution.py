"""The convolution by hand: values and sizes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgecnn.inspection.convolution import KERNELS, Padding, Side, convolve, kernel_of, pool, sides
from edgecnn_runtime.errors import UsageError

pytestmark = pytest.mark.usefixtures("keras")

RANDOM = np.random.default_rng(3)


def noise(height: int, width: int) -> npt.NDArray[np.uint8]:
    return RANDOM.integers(0, 256, (height, width, 3), np.uint8)


def slowly(picture: Any, kernel: Any, stride: int, side_y: Side, side_x: Side) -> Any:
    """The definition: at each place the products of kernel and pixels, added up."""
    above, left = side_y.padding // 2, side_x.padding // 2
    zeros = ((above, side_y.padding - above), (left, side_x.padding - left), (0, 0))
    padded = np.pad(picture.astype(float), zeros)
    window = len(kernel)
    result = np.zeros((side_y.output, side_x.output, picture.shape[2]))
    for row, column in np.ndindex(result.shape[:2]):
        part = padded[row * stride :, column * stride :][:window, :window]
        result[row, column] = (part * kernel[:, :, None]).sum((0, 1))
    return result


def test_edges_of_a_step_are_at_the_step() -> None:
    step = np.zeros((9, 12, 3), np.uint8)
    step[:, 5:] = 200
    edges = convolve(step, KERNELS["edge"])[1:-1, 1:-1]  # without what the zeros around do
    assert edges.shape == (7, 10, 3)
    bright, dark = 4, 3  # columns 5 and 4, without the border
    np.testing.assert_allclose(edges[:, bright], 3 * 200)
    np.testing.assert_allclose(edges[:, dark], -3 * 200)
    assert not np.delete(edges, [dark, bright], axis=1).any()
    assert (edges.argmax(1) == bright).all()


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_blurred_constant_is_the_constant(stride: int) -> None:
    constant = np.full((11, 8, 3), [10, 120, 255], np.uint8)
    blurred = convolve(constant, KERNELS["blur"], stride, "valid")
    np.testing.assert_allclose(blurred, np.broadcast_to([10.0, 120, 255], blurred.shape), rtol=1e-5)
    sharp = convolve(constant, KERNELS["sharpen"], stride, "valid")
    np.testing.assert_allclose(sharp, np.broadcast_to([10.0, 120, 255], sharp.shape), rtol=1e-5)


def test_blur_is_the_mean_and_keeps_colours_apart() -> None:
    picture = noise(5, 5)
    picture[..., 1] = 0
    blurred = convolve(picture, KERNELS["blur"], padding="valid")
    np.testing.assert_allclose(blurred[1, 1], picture[1:4, 1:4].mean((0, 1)), rtol=1e-5)
    assert not blurred[..., 1].any()


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("window", [1, 2, 3, 5])
def test_values_and_sizes_are_those_of_the_formula(window: int, stride: int, padding: Padding) -> None:
    for height, width in ((9, 14), (5, 16), (32, 7)):
        picture = noise(height, width)
        kernel = RANDOM.normal(size=(window, window)).astype(np.float32)
        both = sides(picture, window, stride, padding)
        result = convolve(picture, kernel, stride, padding)
        assert result.shape == (both[0].output, both[1].output, 3)
        np.testing.assert_allclose(result, slowly(picture, kernel, stride, *both), rtol=1e-4, atol=1e-2)
        if padding == "same":
            assert result.shape[:2] == (math.ceil(height / stride), math.ceil(width / stride))
        else:
            assert [side.padding for side in both] == [0, 0]


def test_it_is_what_a_layer_computes(keras: Any) -> None:
    picture = noise(10, 12)[..., :1]
    layer = keras.layers.Conv2D(1, 3, strides=2, padding="same", use_bias=False)
    layer.build((None, 10, 12, 1))
    layer.set_weights([KERNELS["edge"][:, :, None, None]])
    expected = keras.ops.convert_to_numpy(layer(picture[None].astype(np.float32)))[0]
    np.testing.assert_allclose(convolve(picture, KERNELS["edge"], 2, "same"), expected, rtol=1e-5)


def test_pools() -> None:
    values = RANDOM.normal(size=(5, 7, 3)).astype(np.float32)
    blocks = values[:4, :6].reshape(2, 2, 3, 2, 3)
    np.testing.assert_allclose(pool(values, "max"), blocks.max((1, 3)), rtol=1e-5)
    np.testing.assert_allclose(pool(values, "average"), blocks.mean((1, 3)), rtol=1e-4, atol=1e-6)


def test_the_formula_in_numbers() -> None:
    assert Side.of(32, 3, 2, "same").formula == "⌊(32 + 1 - 3) / 2⌋ + 1 = 16"
    assert Side.of(32, 3, 2, "valid").formula == "⌊(32 + 0 - 3) / 2⌋ + 1 = 15"


def test_kernels_by_their_numbers() -> None:
    np.testing.assert_array_equal(kernel_of("-1,-1,-1,-1,8,-1,-1,-1,-1"), KERNELS["edge"])
    np.testing.assert_array_equal(kernel_of(" 1, 2.5,-3 ,4e-1"), np.array([[1, 2.5], [-3, 0.4]], np.float32))
    assert KERNELS["blur"].sum() == pytest.approx(1)
    assert KERNELS["sharpen"].sum() == 1
    assert KERNELS["edge"].sum() == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1,2,3", "3 numbers, which make no square; give 1 or 4"),
        ("1,2,3,4,5,6,7,8", "8 numbers, which make no square; give 4 or 9"),
        ("blurr", "neither blur, sharpen, edge nor numbers"),
        ("1,2,x,4", "neither"),
        ("", "neither"),
        ("1,2,,4", "neither"),
        ("1,2,nan,4", "not finite"),
        ("1,2,1e60,4", "not finite"),
    ],
)
def test_what_is_no_kernel(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        kernel_of(text)


def test_a_kernel_that_does_not_fit() -> None:
    with pytest.raises(UsageError, match="a window of 5 x 5 does not fit into 4 pixels"):
        sides(noise(9, 4), 5, 1, "valid")
    assert [side.output for side in sides(noise(9, 4), 5, 1, "same")] == [9, 4]
