"""Occlusion: the map is highest where the object is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgecnn.data import samples
from edgecnn.inspection.occlusion import occlusion
from edgecnn.models import carried
from edgecnn_runtime import Classifier

TINY = Path(__file__).parents[2] / "runtime" / "data" / "tiny-fp32.onnx"
DATA = samples.test()


@pytest.mark.parametrize("corner", [(0, 0), (0, 2), (2, 0), (2, 2), (1, 1)])
def test_of_a_red_patch_on_grey_only_the_patch_matters(corner: tuple[int, int]) -> None:
    row, column = corner
    picture = np.full((4, 4, 3), 60, np.uint8)
    picture[row : row + 2, column : column + 2] = [250, 60, 60]
    classifier = Classifier.open(TINY)
    red, green = occlusion(classifier.backend.scores, picture, [0, 1])
    inside = np.zeros((4, 4), bool)
    inside[row : row + 2, column : column + 2] = True
    assert red[inside].min() > 0 > red[~inside].max()  # grey turns a little red where it is hidden
    assert green[inside].max() < 0, "without the red, green is more probable"


@pytest.mark.parametrize(
    ("number", "corner"),
    [(100, (0, 0)), (100, (0, 12)), (103, (12, 0)), (103, (12, 12)), (117, (12, 12)), (118, (12, 0))],
)
def test_the_map_is_highest_on_the_object(number: int, corner: tuple[int, int]) -> None:
    """Pictures of 20 x 20 pixels in a corner of a plain one; the model that comes with the package is sure of them.

    It was trained with squares hidden: of most pictures no square of this size takes a tenth of the probability.
    """
    row, column = corner
    small = Image.fromarray(DATA.images[number]).resize((20, 20))
    picture = np.full((32, 32, 3), DATA.images[number].mean((0, 1)).round(), np.uint8)
    picture[row : row + 20, column : column + 20] = small
    classifier, label = Classifier.open(carried("onnx")), int(DATA.labels[number])
    assert classifier.scores([picture])[0, label] > 0.9
    (falls,) = occlusion(classifier.backend.scores, picture, [label])
    found = np.unravel_index(falls.argmax(), falls.shape)
    assert row <= found[0] < row + 20
    assert column <= found[1] < column + 20
    assert falls.max() > 0.1


@pytest.mark.parametrize(("height", "width"), [(4, 4), (5, 9), (32, 32), (33, 40), (1, 7)])
def test_it_is_the_mean_over_the_squares_that_hide_a_pixel(height: int, width: int) -> None:
    picture = np.random.default_rng(4).integers(0, 256, (height, width, 3), np.uint8)
    picture[0, 0] = 255
    seen: list[Any] = []

    def scores(pictures: Any) -> Any:
        """How bright the first pixel is."""
        seen.extend(pictures)
        bright = pictures[:, 0, 0].mean(-1) / 255
        return np.stack([bright, 1 - bright], 1)

    told: list[tuple[int, int]] = []
    first, second = occlusion(scores, picture, [0, 1], lambda *done: told.append(done))
    whole, *hidden = seen
    np.testing.assert_array_equal(whole, picture)
    masks = np.array([(each != picture).any(-1) for each in hidden])
    assert masks.any((1, 2)).all()
    assert masks.any(0).all(), "no pixel is left out"
    assert told[-1] == (len(hidden), len(hidden))
    falls = np.array([1 - each[0, 0].mean() / 255 for each in hidden])
    if (picture != picture.mean((0, 1)).round()).any(-1).all():
        np.testing.assert_allclose(first, np.tensordot(falls, masks, 1) / masks.sum(0), atol=1e-5)
    np.testing.assert_allclose(second, -first, atol=1e-5)
    assert first[0, 0] == first.max() > 0


@pytest.mark.parametrize("size", [32, 96, 224])
def test_it_takes_257_answers_for_a_small_picture_and_for_a_large_one(size: int) -> None:
    """``docs/inspect.md`` says so."""
    answered = 0

    def scores(pictures: Any) -> Any:
        nonlocal answered
        answered += len(pictures)
        return np.zeros((len(pictures), 2), np.float32)

    occlusion(scores, np.zeros((size, size, 3), np.uint8), [0])
    assert answered == 257
