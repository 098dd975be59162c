"""Calibration images from a folder of pictures."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgecnn.cli.main import run as edgecnn
from edgecnn_export.calibration import from_folder, halves
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError, ImageError
from edgecnn_runtime.image import pixels

SPEC = InputSpec(8, 8)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for index in range(600):
        path = tmp_path / "pictures" / f"class-{index % 3}" / f"{index:03}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (8 + index % 5, 12, 3), np.uint8)).save(path)
    (tmp_path / "pictures" / "notes.txt").write_text("not a picture")
    return tmp_path / "pictures"


def test_pictures_are_those_the_device_will_see(pictures: Path) -> None:
    data = from_folder(pictures, SPEC)
    assert (data.name, data.images.shape) == ("pictures", (500, 8, 8, 3))
    assert (data.images[0] == pixels(pictures / "class-0" / "000.png", SPEC)).all()
    assert (data.images[-1] == pixels(pictures / "class-2" / "599.png", SPEC)).all()
    assert data.fingerprint == from_folder(pictures, SPEC).fingerprint


def test_the_folder_one_is_in_has_a_name_too(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pictures)
    assert from_folder(Path(), SPEC).name == "pictures"
    assert [each.name for each in halves(Path(), SPEC, ("a", "b"))] == ["pictures/calibration", "pictures/comparison"]


def test_large_pictures_are_fewer(pictures: Path) -> None:
    assert len(from_folder(pictures, InputSpec(65, 65)).images) == 100


def test_halves_have_no_picture_in_common(pictures: Path) -> None:
    calibration, comparison = halves(pictures, SPEC, ("a", "b"))
    assert (calibration.name, len(calibration)) == ("pictures/calibration", 300)
    assert (comparison.name, len(comparison)) == ("pictures/comparison", 300)
    assert not {image.tobytes() for image in calibration.images} & {image.tobytes() for image in comparison.images}
    assert (comparison.labelled, comparison.label_names) == (False, ("a", "b"))
    assert comparison.fingerprint == halves(pictures, SPEC, ("a", "b"))[1].fingerprint


def test_a_folder_whose_name_is_no_text(pictures: Path) -> None:
    named = pictures.rename(os.fsdecode(os.fsencode(pictures.parent) + b"/fot\xf6s"))
    assert from_folder(named, SPEC).name == "fot?s"


def test_halves_need_twice_as_many(tmp_path: Path) -> None:
    for index in range(39):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{index}.png")
    with pytest.raises(DataError, match="holds 39 pictures; calibration and comparison need at least 40"):
        halves(tmp_path, SPEC, ())


def test_too_few_or_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        from_folder(tmp_path / "nowhere", SPEC)
    for index in range(19):
        Image.new("RGB", (8, 8)).save(tmp_path / f"{index}.png")
    with pytest.raises(DataError, match="holds 19 pictures; calibration needs at least 20"):
        from_folder(tmp_path, SPEC)


def test_a_damaged_picture_is_named(pictures: Path) -> None:
    (pictures / "class-0" / "000.png").write_bytes(b"damaged")
    with pytest.raises(ImageError, match=r"000\.png"):
        from_folder(pictures, SPEC)


@pytest.mark.parametrize("first", ["ZeroPadding2D", "MaxPooling2D", "Activation"])
def test_pixels_go_in_as_they_are_however_dim_the_images(first: str, calibration: Dataset) -> None:
    import keras

    from edgecnn_export.tflite import TFLite
    from edgecnn_runtime import tflite_reader

    pixels = keras.Input((32, 32, 3))
    made = getattr(keras.layers, first)(**({"activation": "linear"} if first == "Activation" else {}))(pixels)
    made = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(made))
    model = keras.Model(pixels, keras.layers.Dense(2, activation="softmax")(made))
    dim = calibration.images[:20].clip(10, 240)
    (given,) = tflite_reader.read(TFLite(model, dim).int8.convert()).inputs
    assert (given.type, given.scale, given.zero_point) == ("uint8", 1.0, 0)


def test_int8_ranges_come_from_the_folder(
    baseline_path: Path, tmp_path: Path, calibration: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edgecnn_runtime import container

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    folder = tmp_path / "mine"
    folder.mkdir()
    for index, image in enumerate(calibration.images[:40]):
        Image.fromarray(image).save(folder / f"{index:02}.png")
    out = tmp_path / "out"
    words = ["export", str(baseline_path), "--int8", "--format", "tflite", "--out", str(out)]
    assert edgecnn([*words, "--calibration", str(folder)]) == 0
    contract, _ = container.read(out / "baseline-int8.tflite")
    expected = from_folder(folder, InputSpec(32, 32))
    assert (expected.images == calibration.images[:40]).all()
    found = {"data": "mine", "images": 40, "fingerprint": expected.fingerprint, "method": "minmax"}
    assert contract.calibration == found
