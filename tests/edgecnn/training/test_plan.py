from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn.training import plan
from edgecnn.training.plan import Plan
from edgecnn.training.recipe import DEFAULT, LESSON
from edgecnn_export.dataset import Dataset

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Gather

AUGMENTED = replace(DEFAULT, batch_size=10, flip=True, shift=3)


def same(one: Plan, other: Plan) -> bool:
    return all(map(np.array_equal, one, other))


def test_seed_and_epoch_decide_alone() -> None:
    first = plan.draw(AUGMENTED, 95, epoch=4)
    np.random.seed(1)  # nobody else's random state matters
    plan.draw(AUGMENTED, 95, epoch=5)
    assert same(plan.draw(replace(AUGMENTED, learning_rate=0.5, epochs=99), 95, epoch=4), first)
    assert not same(plan.draw(AUGMENTED, 95, epoch=5), first)
    assert not same(plan.draw(replace(AUGMENTED, seed=1), 95, epoch=4), first)


def test_no_seed_is_another_ones_next_epoch() -> None:
    orders = [plan.draw(replace(LESSON, seed=seed), 640, epoch).order for seed in range(5) for epoch in range(5)]
    assert len({order.tobytes() for order in orders}) == 25


def test_every_image_at_most_once_an_epoch() -> None:
    seen = np.zeros(95, int)
    for epoch in range(30):
        order = plan.draw(AUGMENTED, 95, epoch).order
        assert order.shape == (9, 10)
        images, times = np.unique(order, return_counts=True)
        assert set(times) == {1}
        seen[images] += 1
    assert seen.min() > 20  # what is left over is never the same


def test_flips_and_shifts() -> None:
    drawn = plan.draw(AUGMENTED, 10_000, epoch=0)
    assert [part.dtype for part in drawn] == [np.int32, np.bool_, np.int32]
    assert 0.47 < drawn.flip.mean() < 0.53
    moves, times = np.unique(drawn.shift.reshape(-1, 2), axis=0, return_counts=True)
    assert moves.tolist() == [[down, right] for down in range(-3, 4) for right in range(-3, 4)]
    assert times.min() > 0.7 * 10_000 / 49


def test_no_augmentation() -> None:
    drawn = plan.draw(LESSON, 500, epoch=0)
    assert not drawn.flip.any()
    assert not drawn.shift.any()


@pytest.mark.parametrize("images", [1, 7])
def test_fewer_images_than_a_batch(images: int) -> None:
    drawn = plan.draw(LESSON, images, epoch=0)
    assert drawn.shift.shape == (1, images, 2)
    assert sorted(drawn.order[0]) == list(range(images))


def test_part_of_an_epoch() -> None:
    drawn = plan.draw(AUGMENTED, 95, epoch=0)
    parts = [drawn.steps(first, last) for first, last in ((0, 2), (2, 8), (8, 9))]
    assert same(Plan(*map(np.concatenate, zip(*parts, strict=True))), drawn)


@pytest.mark.usefixtures("keras")
def test_gather_moves_and_mirrors_like_the_plain_way(small: Dataset, plain_batch: Gather) -> None:
    moves = range(-3, 4)
    shift = np.array([(down, right) for down in moves for right in moves] * 2, np.int32)[None]
    flip = np.arange(98)[None] >= 49
    order = np.random.default_rng(0).integers(0, 500, (1, 98)).astype(np.int32)
    by_hand = Plan(order, flip, shift)
    fast = np.asarray(plan.gather(small.images, order[0], flip[0], shift[0], augment=True))
    assert fast.dtype == np.float32
    np.testing.assert_array_equal(fast, plain_batch(small.images, by_hand, 0))


@pytest.mark.usefixtures("keras")
def test_gather_of_images_that_are_not_square(plain_batch: Gather) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 5, 9, 3), np.uint8)
    drawn = plan.draw(AUGMENTED, 20, epoch=0)
    fast = plan.gather(images, drawn.order[0], drawn.flip[0], drawn.shift[0], augment=True)
    np.testing.assert_array_equal(np.asarray(fast), plain_batch(images, drawn, 0))


@pytest.mark.parametrize("augment", [False, True])
@pytest.mark.usefixtures("keras")
def test_gather_without_augmentation_changes_nothing(small: Dataset, augment: bool) -> None:
    drawn = plan.draw(LESSON, 500, epoch=0)
    pixels: Any = plan.gather(small.images, drawn.order[3], drawn.flip[3], drawn.shift[3], augment)
    np.testing.assert_array_equal(np.asarray(pixels), small.images[drawn.order[3]])
