"""What ``--data`` means."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from PIL import Image

from edgecnn.data import cifar10, cifar10_cache, photos_cache, samples, source
from edgecnn.data.cifar10_cache import Arrays
from edgecnn.data.folder import data_folder
from edgecnn.data.photos import Photos
from edgecnn.data.source import Part, Source
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError


def find(given: Path | None, side: int = 32, labels: tuple[str, ...] | None = None) -> Source:
    return source.find(given, InputSpec(side, side), labels, print, lambda done, total: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten pictures each of two things."""
    for label, colour in (("sea", "blue"), ("wood", "green")):
        (tmp_path / "photos" / label).mkdir(parents=True)
        for number in range(10):
            Image.new("RGB", (40 + number, 40), colour).save(tmp_path / "photos" / label / f"{number}.png")
    return tmp_path / "photos"


def test_nothing_given_is_cifar10_in_the_users_cache(arrays: Arrays) -> None:
    cifar10_cache.write(arrays, cifar10.cache_folder(), "a copy")
    images = find(None)
    assert (images.train.name, len(images.train)) == ("cifar10/train", 50)
    assert (images.test.name, len(images.evaluation)) == ("cifar10/test", 10)
    assert (images.everything.name, len(images.everything)) == ("cifar10/all", 60)
    assert images.calibration.fingerprint == samples.calibration().fingerprint


def test_its_name_is_cifar10_unless_something_is_called_so(
    arrays: Arrays, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cifar10_cache.write(arrays, cifar10.cache_folder(), "a copy")
    monkeypatch.chdir(tmp_path)
    assert find(Path("cifar10")).test.name == "cifar10/test"
    folder.rename("cifar10")
    assert find(Path("cifar10")).test.label_names == ("sea", "wood")


def test_nothing_given_is_cifar10_where_the_environment_says(
    arrays: Arrays, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cifar10_cache.write(arrays, tmp_path / "mine" / "cifar10", "a copy")
    monkeypatch.setenv("EDGECNN_DATA", str(tmp_path / "mine"))
    assert len(find(None).test) == 10


def test_a_data_folder(arrays: Arrays, tmp_path: Path) -> None:
    cifar10_cache.write(arrays, tmp_path / "mine" / "cifar10", "a copy")
    (tmp_path / "mine" / photos_cache.FOLDER / "0123456789abcdef").mkdir(parents=True)
    assert len(find(tmp_path / "mine").test) == 10
    (tmp_path / "mine" / "cifar10" / "x_test.npy").unlink()
    with pytest.raises(DataError, match="CIFAR-10 is not in"):
        find(tmp_path / "mine").test  # noqa: B018


def test_without_cifar10_files_are_proved_on_the_images_that_come_with_the_package() -> None:
    images = find(None)
    with pytest.raises(DataError, match="fetch it with: edgecnn data cifar10"):
        images.test  # noqa: B018
    assert images.evaluation.fingerprint == samples.test().fingerprint


def test_nor_is_platformdirs_needed_for_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "platformdirs", None)
    assert len(find(None).evaluation) == 1000


def test_what_was_named_or_is_damaged_is_not_replaced(arrays: Arrays, tmp_path: Path) -> None:
    for named, place in ((None, cifar10.cache_folder()), (tmp_path, tmp_path / "cifar10")):
        cifar10_cache.write(arrays, place, "a copy")
        (place / "x_test.npy").write_bytes(b"")
        with pytest.raises(DataError, match="is damaged"):
            find(named).evaluation  # noqa: B018


def test_photographs_in_folders_and_in_a_csv(folder: Path, tmp_path: Path) -> None:
    images = find(folder, 24)
    assert isinstance(images, Photos)
    assert images.label_names == ("sea", "wood")
    assert images.test.images.shape == (4, 24, 24, 3)
    assert images.evaluation is images.test
    (tmp_path / "list.csv").write_text("".join(f"{path},{path.parent.name}\n" for path in folder.rglob("*.png")))
    assert len(find(tmp_path / "list.csv", 24).train) == 16


def test_parts(folder: Path, arrays: Arrays, monkeypatch: pytest.MonkeyPatch) -> None:
    cifar10_cache.write(arrays, cifar10.cache_folder(), "a copy")
    monkeypatch.setattr(cifar10, "VALIDATION_PER_CLASS", 2)
    for given, expected in (
        (folder, {"test": 4, "validation": 4, "train": 12, "all": 20}),
        (None, {"test": 10, "validation": 20, "train": 30, "all": 60}),
    ):
        images = find(given)
        training, validation = images.split()
        parts = {part: source.part_of(images, part) for part in get_args(Part)}
        assert {part: len(data) for part, data in parts.items()} == expected
        meant = {"test": images.test, "validation": validation, "train": training, "all": images.everything}
        assert {part: data.fingerprint for part, data in parts.items()} == {
            part: data.fingerprint for part, data in meant.items()
        }
        assert len({data.fingerprint for data in meant.values()}) == 4


def test_all_of_cifar10_is_what_is_learnt_from_and_then_the_test(arrays: Arrays) -> None:
    cifar10_cache.write(arrays, cifar10.cache_folder(), "a copy")
    everything = find(None).everything
    np.testing.assert_array_equal(everything.images, np.concatenate([arrays["x_train"], arrays["x_test"]]))
    np.testing.assert_array_equal(everything.labels, np.concatenate([arrays["y_train"], arrays["y_test"]]))


def test_no_such_data(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere does not exist: photographs come as one sub-folder a class.* CSV"):
        find(tmp_path / "nowhere")
    (tmp_path / "1.jpg").touch()
    with pytest.raises(DataError, match=rf"holds no folders: .*with: edgecnn data cifar10 --data {tmp_path}$"):
        find(tmp_path)
    with pytest.raises(DataError, match=r"with: edgecnn data cifar10 --data 'my data'$"):
        find(Path("my data"))


def test_a_folder_that_may_not_be_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    iterdir = Path.iterdir

    def refused(path: Path) -> object:
        if path.name == "photos":
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refused)  # root may read everything
    with pytest.raises(DataError, match=r"photos cannot be read \(Permission denied\); check its permissions"):
        find(folder)


def test_another_models_labels(folder: Path) -> None:
    find(None, 32, cifar10.LABEL_NAMES)
    find(folder, 24, ("dune", "sea", "wood"))
    for side, labels in ((32, ("sea", "wood")), (64, cifar10.LABEL_NAMES)):
        with pytest.raises(DataError, match="the model was not trained on CIFAR-10; name its photographs with --data"):
            find(None, side, labels)
    with pytest.raises(
        DataError, match=r"the model does not know the class sea and 1 more of .*photos: it was trained"
    ):
        find(folder, 32, cifar10.LABEL_NAMES)


def test_finding_decodes_nothing(folder: Path) -> None:
    find(folder)
    assert not (data_folder() / photos_cache.FOLDER).exists()
    assert np.unique(find(folder).test.labels).tolist() == [0, 1]
    assert (data_folder() / photos_cache.FOLDER).exists()
