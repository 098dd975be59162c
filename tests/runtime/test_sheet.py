from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, features

from edgecnn_runtime.errors import BackendError, ImageError
from edgecnn_runtime.sheet import Images, pack, unpack


def noise(count: int, height: int, width: int) -> Images:
    return np.random.default_rng(count).integers(0, 256, (count, height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 4, 4), (7, 5, 3), (50, 2, 3), (51, 3, 2), (120, 8, 8), (3, 1, 9000)])
def test_a_sheet_gives_back_every_bit(shape: tuple[int, int, int]) -> None:
    images = noise(*shape)
    assert np.array_equal(unpack(pack(images), *shape), images)


def test_a_sheet_is_compressed() -> None:
    assert len(pack(np.zeros((100, 32, 32, 3), np.uint8))) < 1000


def test_what_does_not_fit_is_refused() -> None:
    for shape in [(0, 4, 4), (50 * 16384, 1, 1), (1, 16384, 1), (1, 1, 16384)]:
        with pytest.raises(ValueError, match="one sheet"):
            pack(np.zeros((*shape, 3), np.uint8))


def test_only_its_own_sheet_is_unpacked() -> None:
    data = pack(noise(7, 5, 3))
    for count, height, width in [(8, 5, 3), (7, 6, 3), (7, 5, 4)]:
        with pytest.raises(ImageError, match="sheet"):
            unpack(data, count, height, width)


def test_damage_is_an_image_error() -> None:
    data = pack(noise(20, 8, 8))
    for length in range(0, len(data), 97):
        with pytest.raises(ImageError):
            unpack(data[:length], 20, 8, 8)
    with pytest.raises(ImageError):
        unpack(b"no picture at all", 1, 4, 4)


def test_a_pillow_without_webp_is_not_the_sheets_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pack(noise(20, 8, 8))
    monkeypatch.setitem(Image.OPEN, "WEBP", (None, lambda _: "image file could not be identified"))
    monkeypatch.setattr(features, "check", lambda _: False)
    with pytest.raises(BackendError, match="this Pillow was built without WebP"):
        unpack(data, 20, 8, 8)
