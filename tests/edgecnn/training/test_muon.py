"""Muon against the singular value decomposition that its iteration stands for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.usefixtures("keras")


@pytest.mark.parametrize("shape", [(27, 16), (144, 16), (9, 24), (8, 8)])
def test_all_directions_become_of_one_size(shape: tuple[int, int]) -> None:
    from edgecnn.training.muon import orthogonal

    matrix = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    made = np.asarray(orthogonal(matrix))
    assert made.shape == shape
    left, _, right = np.linalg.svd(matrix, full_matrices=False)
    sizes = np.diag(left.T @ made @ right.T)
    assert 0.67 < sizes.min() <= sizes.max() < 1.21
    np.testing.assert_allclose(made, left * sizes @ right, atol=1e-4)  # the directions stay as they were


def test_small_directions_grow_as_far_as_five_steps_take_them() -> None:
    from edgecnn.training.muon import orthogonal

    sizes = np.array([1.0, 0.3, 0.05, 0.003, 1e-4])
    left, right = (np.linalg.qr(np.random.default_rng(0).normal(size=(rows, 5)))[0] for rows in (27, 16))
    made = np.asarray(orthogonal((left * sizes @ right.T).astype(np.float32)))
    ends = np.diag(left.T @ made @ right)
    assert 0.67 < ends[:4].min() <= ends[:4].max() < 1.21
    assert 400 * 1e-4 / 1.05 < ends[4] < 486 * 1e-4


@pytest.mark.parametrize("rank", [1, 4, 16])
def test_the_iteration_is_the_papers(rank: int) -> None:
    """Also where most directions are not there at all, as in the gradients of a layer that learns little."""
    from edgecnn.training.muon import orthogonal

    rng = np.random.default_rng(0)
    matrix = (rng.normal(size=(144, rank)) @ rng.normal(size=(rank, 16))).astype(np.float32)
    expected = matrix.astype(np.float64) / np.linalg.norm(matrix)
    for _ in range(5):
        square = expected.T @ expected
        expected = 3.4445 * expected - 4.7750 * expected @ square + 2.0315 * expected @ square @ square
    np.testing.assert_allclose(np.asarray(orthogonal(matrix)), expected, atol=1e-5)


def test_filters_take_steps_as_large_as_adams_and_all_else_is_adams(keras: Any) -> None:
    from edgecnn.training.keras_backend import optimizer

    rng = np.random.default_rng(0)
    shapes = (3, 3, 8, 16), (16,), (16, 10), (3, 3, 8, 1)
    start, gradients = ([rng.normal(size=each).astype(np.float32) for each in shapes] for _ in range(2))

    def moved(name: Any) -> tuple[list[Any], list[str]]:
        weights = [keras.Variable(each, name=f"w{index}") for index, each in enumerate(start)]
        made = optimizer("tensorflow", name)(0.01)
        made.build(weights)
        for _ in range(3):
            made.apply([keras.ops.convert_to_tensor(each) for each in gradients], weights)
        steps = [np.asarray(weight) - before for weight, before in zip(weights, start, strict=True)]
        return steps, [each.path.partition("/")[2] for each in made.variables]

    (filters, *rest), names = moved("muon")
    (by_adam, *expected), names_of_adam = moved("adam")
    assert names == names_of_adam
    for ours, theirs in zip(rest, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)
    # Adam's step is the learning rate in each weight, Muon's a fifth of it as a root mean square.
    assert np.sqrt((by_adam**2).mean()) == pytest.approx(0.03, rel=0.01)
    assert np.sqrt((filters**2).mean()) == pytest.approx(0.03 * 0.2, rel=0.15)
    assert (filters * gradients[0]).sum() < 0


def test_momentum_is_nesterovs(keras: Any) -> None:
    """A second gradient across the first: the step leans on both, by their weights in momentum."""
    from edgecnn.training.keras_backend import optimizer
    from edgecnn.training.muon import orthogonal

    first, second = np.random.default_rng(0).normal(size=(2, 1, 1, 6, 4)).astype(np.float32)
    weight = keras.Variable(np.zeros_like(first))
    made = optimizer("tensorflow", "muon")(1.0)
    made.build([weight])
    for gradient in (first, second):
        before = np.asarray(weight)
        made.apply([keras.ops.convert_to_tensor(gradient)], [weight])
    look_ahead = second + 0.95 * (0.95 * first + second)
    expected = -0.2 * np.sqrt(6) * np.asarray(orthogonal(look_ahead.reshape(6, 4)))
    np.testing.assert_allclose((np.asarray(weight) - before).reshape(6, 4), expected, atol=1e-4)
