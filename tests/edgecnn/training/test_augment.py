"""A batch under the Keras backend at hand, against numpy's plain way to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest

from edgecnn.training import augment, plan
from edgecnn.training.plan import Plan
from edgecnn.training.recipe import DEFAULT, LESSON, Recipe
from edgecnn_export.dataset import Dataset

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Gather

AUGMENTED = replace(DEFAULT, batch_size=10, flip=True, shift=3)

pytestmark = pytest.mark.usefixtures("keras")


def at(drawn: Plan, step: int) -> Plan:
    return Plan._make(part[step] for part in drawn)


def test_gather_moves_and_mirrors_like_the_plain_way(small: Dataset, plain_batch: Gather) -> None:
    moves = range(-3, 4)
    shift = np.array([(down, right) for down in moves for right in moves] * 2, np.int32)[None]
    flip = np.arange(98)[None] >= 49
    order = np.random.default_rng(0).integers(0, 500, (1, 98)).astype(np.int32)
    by_hand = plan.draw(replace(AUGMENTED, batch_size=98), 98, 0)._replace(order=order, flip=flip, shift=shift)
    fast = np.asarray(augment.gather(small.images, order[0], at(by_hand, 0), AUGMENTED, (32, 32)))
    assert fast.dtype == np.float32
    np.testing.assert_array_equal(fast, plain_batch(small.images, by_hand, 0))


def test_gather_of_images_that_are_not_square(plain_batch: Gather) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 5, 9, 3), np.uint8)
    drawn = plan.draw(AUGMENTED, 20, epoch=0)
    fast = augment.gather(images, drawn.order[0], at(drawn, 0), AUGMENTED, (5, 9))
    np.testing.assert_array_equal(np.asarray(fast), plain_batch(images, drawn, 0))


def test_windows_are_parts_of_the_whole_images(plain_batch: Gather) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 6, 9, 3), np.uint8)
    recipe = replace(AUGMENTED, cropped=0.5, crop=0.5)
    drawn = plan.draw(recipe, 20, epoch=2)
    seen = np.asarray(augment.gather(images, drawn.order[1], at(drawn, 1), recipe, (3, 4)))
    whole = plain_batch(images, drawn, 1)
    for picture, part, (above, left) in zip(whole, seen, drawn.corner[1], strict=True):
        top, start = int(above * 4), int(left * 6)
        np.testing.assert_array_equal(part, picture[top : top + 3, start : start + 4])
    plain = augment.gather(images, drawn.order[1], at(drawn, 1), replace(LESSON, cropped=0.5, crop=0.5), (3, 4))
    assert plain.shape == (10, 3, 4, 3)


def test_a_hole_and_a_pasted_part_are_measured_on_the_window(small: Dataset) -> None:
    recipe = replace(LESSON, cutout=8, cutmix=1.0, cropped=0.5, crop=0.5)
    drawn = plan.draw(recipe, 500, epoch=0)
    images, places = plan.fetch(small.images, drawn.order)
    labels = small.labels.astype(np.int32)
    pixels, target = augment.batch(images, labels, places[0], at(drawn, 0), recipe, 10, (16, 16))
    holes = np.array([rectangle(centre, 8, 8, 16, 16) for centre in drawn.hole[0]])
    assert (np.asarray(pixels)[holes] == augment.GREY).all()
    for index, (share, *centre) in enumerate(drawn.paste[0]):
        side = 16 * np.sqrt(share)
        pasted = np.mean(rectangle(np.array(centre), side, side, 16, 16))
        own = target[index, small.labels[drawn.order[0][index]]]
        if small.labels[drawn.order[0][index]] != small.labels[drawn.order[0][index - 1]]:
            np.testing.assert_allclose(own, 1 - pasted, atol=1e-6)


def learnt(data: Dataset, drawn: Plan, step: int, recipe: Recipe) -> tuple[Any, Any]:
    """Pixels and targets, of images that lie at other places than in the whole set."""
    images, places = plan.fetch(data.images, drawn.order)
    labels, (_, height, width, _) = data.labels.astype(np.int32), data.images.shape
    made = augment.batch(images, labels, places[step], at(drawn, step), recipe, 10, (height, width))
    return tuple(map(np.asarray, made))  # type: ignore[return-value]


@pytest.fixture(params=[(32, 32), (24, 40)], ids=["square", "wide"])
def pictures(small: Dataset, request: pytest.FixtureRequest) -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (500, *request.param, 3), np.uint8)
    return Dataset("noise", images, small.labels, small.label_names)


@pytest.mark.parametrize("like", [LESSON, replace(AUGMENTED, flip=False, shift=0), replace(LESSON, cutmix=0.5)])
def test_nothing_that_is_not_asked_for(small: Dataset, like: Recipe) -> None:
    drawn = plan.draw(LESSON, 500, epoch=0)
    pixels, target = learnt(small, drawn, 3, like)
    np.testing.assert_array_equal(pixels, small.images[drawn.order[3]])
    np.testing.assert_array_equal(target.argmax(-1), small.labels[drawn.order[3]])
    assert set(target.ravel()) == {0, 1}


def rectangle(centre: npt.NDArray[np.float32], tall: float, wide: float, height: int, width: int) -> Any:
    """The pixels whose middle lies inside, one after the other."""
    return [
        [
            abs(y + 0.5 - centre[0] * height) < tall / 2 and abs(x + 0.5 - centre[1] * width) < wide / 2
            for x in range(width)
        ]
        for y in range(height)
    ]


def test_a_hole_is_grey_and_has_the_size_asked_for(pictures: Dataset) -> None:
    recipe = replace(LESSON, cutout=8)
    drawn = plan.draw(recipe, 500, epoch=0)
    pixels, target = learnt(pictures, drawn, 2, recipe)
    size = pictures.images.shape[1:3]
    holes = np.array([rectangle(centre, 8, 8, *size) for centre in drawn.hole[2]])
    assert 16 <= holes.sum((1, 2)).min() < holes.sum((1, 2)).max() == 64
    assert (pixels[holes] == augment.GREY).all()
    np.testing.assert_array_equal(pixels[~holes], pictures.images[drawn.order[2]][~holes])
    np.testing.assert_array_equal(target.argmax(-1), pictures.labels[drawn.order[2]])


def test_a_part_of_the_image_before_is_pasted_and_its_label_counts_by_its_area(pictures: Dataset) -> None:
    recipe = replace(LESSON, cutmix=0.7)
    drawn = plan.draw(recipe, 500, epoch=0)
    pixels, target = learnt(pictures, drawn, 1, recipe)
    images, labels = pictures.images[drawn.order[1]], np.eye(10)[pictures.labels[drawn.order[1]]]
    seen, (height, width) = set(), pictures.images.shape[1:3]
    for index, (share, *centre) in enumerate(drawn.paste[1]):
        side = np.sqrt(share)
        pasted = np.array(rectangle(np.array(centre), side * height, side * width, height, width))
        np.testing.assert_array_equal(pixels[index][pasted], images[index - 1][pasted])
        np.testing.assert_array_equal(pixels[index][~pasted], images[index][~pasted])
        kept = 1 - pasted.mean()
        np.testing.assert_allclose(target[index], kept * labels[index] + (1 - kept) * labels[index - 1], atol=1e-6)
        seen.add(kept == 1)
    assert seen == {True, False}
