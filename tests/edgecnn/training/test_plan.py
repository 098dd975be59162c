from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgecnn.training import plan
from edgecnn.training.plan import Plan
from edgecnn.training.recipe import DEFAULT, LESSON

AUGMENTED = replace(DEFAULT, batch_size=10, flip=True, shift=3, cutout=8, cutmix=0.5)


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
    assert [part.dtype for part in drawn] == [np.int32, np.bool_, np.int32, np.float32, np.float32, np.float32]
    assert 0.47 < drawn.flip.mean() < 0.53
    moves, times = np.unique(drawn.shift.reshape(-1, 2), axis=0, return_counts=True)
    assert moves.tolist() == [[down, right] for down in range(-3, 4) for right in range(-3, 4)]
    assert times.min() > 0.7 * 10_000 / 49


def test_holes_and_pasted_parts() -> None:
    drawn = plan.draw(AUGMENTED, 10_000, epoch=0)
    places = drawn.hole.reshape(-1, 2)
    assert 0 <= places.min() < 0.01 < 0.99 < places.max() < 1
    shares = drawn.paste[..., 0].ravel()
    assert 0.47 < (shares > 0).mean() < 0.53
    assert 0.47 < shares[shares > 0].mean() < 0.53


def test_no_augmentation() -> None:
    drawn = plan.draw(LESSON, 500, epoch=0)
    assert not any(part.any() for part in drawn[1:])


def test_new_kinds_of_choices_leave_the_old_ones_as_they_were() -> None:
    plain = plan.draw(replace(AUGMENTED, cutout=0, cutmix=0.0), 95, epoch=4)
    assert same(Plan(*plan.draw(AUGMENTED, 95, epoch=4)[:3], *plain[3:]), plain)


@pytest.mark.parametrize("images", [1, 7])
def test_fewer_images_than_a_batch(images: int) -> None:
    drawn = plan.draw(LESSON, images, epoch=0)
    assert drawn.shift.shape == (1, images, 2)
    assert sorted(drawn.order[0]) == list(range(images))


def test_part_of_an_epoch() -> None:
    drawn = plan.draw(AUGMENTED, 95, epoch=0)
    parts = [drawn.steps(first, last) for first, last in ((0, 2), (2, 8), (8, 9))]
    assert same(Plan(*map(np.concatenate, zip(*parts, strict=True))), drawn)
