"""Photographs as training, validation and test images, decoded once. CIFAR-10's own images, written out, stand in."""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import PIL
import pytest
from PIL import Image

from edgecnn.data import cifar10, photos, photos_cache, samples
from edgecnn.data.folder import data_folder
from edgecnn.data.photos import Photos
from edgecnn_export import calibration
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError, ImageError
from edgecnn_runtime.image import pixels

SPEC = InputSpec(32, 32)
CLASSES = ("airplane", "automobile", "bird")

Load = Callable[..., Photos]


def write(folder: Path, per_class: int, suffix: str = "png", skip: int = 0) -> Path:
    """The first images of three classes, but for some, as ``folder/LABEL/NUMBER.png``."""
    data = samples.test()
    for number, label in enumerate(CLASSES):
        (folder / label).mkdir(parents=True, exist_ok=True)
        for index in np.flatnonzero(data.labels == number)[skip : skip + per_class]:
            Image.fromarray(data.images[index]).save(folder / label / f"{index:04}.{suffix}")
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "photos", 20)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The pictures that were opened."""
    opened: list[Path] = []

    def watched(path: Path, spec: InputSpec) -> object:
        opened.append(path)
        return pixels(path, spec)

    monkeypatch.setattr(photos_cache, "pixels", watched)
    return opened


@pytest.fixture
def load(said: list[str]) -> Load:
    def loaded(source: Path, spec: InputSpec = SPEC, labels: tuple[str, ...] | None = None) -> Photos:
        return photos.load(source, spec, labels, said.append, lambda done, total: None)

    return loaded


def counts(data: Dataset) -> list[int]:
    return [int(count) for count in np.bincount(data.labels, minlength=len(data.label_names))]


def shown(data: Dataset) -> set[bytes]:
    return {image.tobytes() for image in data.images}


def test_the_pixels_come_back(folder: Path, load: Load) -> None:
    everything = load(folder).everything
    original = samples.test()
    position = {image.tobytes(): index for index, image in enumerate(original.images)}
    assert everything.label_names == CLASSES
    assert len(shown(everything)) == len(everything) == 60
    for image, label in zip(everything.images, everything.labels, strict=True):
        assert original.labels[position[image.tobytes()]] == label


def test_they_are_what_the_device_will_see(tmp_path: Path, load: Load) -> None:
    folder = write(tmp_path / "jpegs", 10, "jpg")
    spec = InputSpec(20, 28, "lanczos", "stretch")
    assert shown(load(folder, spec).everything) == {pixels(path, spec).tobytes() for path in folder.rglob("*.jpg")}


def test_the_parts(folder: Path, load: Load) -> None:
    images = load(folder)
    training, validation = images.split()
    assert [counts(part) for part in (training, validation, images.test)] == [[14] * 3, [3] * 3, [3] * 3]
    assert [part.name for part in (training, validation)] == ["photos/train-42", "photos/validation-9"]
    assert (images.train.name, len(images.train), images.test.name) == ("photos/train", 51, "photos/test")
    parts = [shown(part) for part in (training, validation, images.test)]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    assert set.union(*parts) == shown(images.everything)
    assert shown(images.train) == parts[0] | parts[1]
    assert len({part.fingerprint for part in (training, validation, images.train, images.test)}) == 4


def test_the_parts_are_always_the_same(folder: Path, load: Load, tmp_path: Path) -> None:
    before = load(folder)
    # Elsewhere, written in another order, with other times.
    moved = tmp_path / "moved"
    for path in sorted(folder.rglob("*.png"), reverse=True):
        (moved / path.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, moved / path.parent.name / path.name)
    again = load(moved)
    for one, other in zip((*before.split(), before.test), (*again.split(), again.test), strict=True):
        assert one.fingerprint == other.fingerprint
    # Were another version to draw others, a model could be tested on what it was trained on.
    assert before.test.fingerprint.startswith("5aad545d797208fc")


def test_a_picture_is_in_one_part_only(folder: Path, load: Load, said: list[str]) -> None:
    tested = shown(load(folder).test)
    for path in sorted(folder.rglob("*.png")):
        shutil.copyfile(path, path.with_name(f"copy-{path.name}"))
    images = load(folder)
    training, validation = images.split()
    parts = [shown(part) for part in (training, validation, images.test)]
    assert not parts[0] & parts[1] | parts[0] & parts[2] | parts[1] & parts[2]
    assert set.union(*parts) == shown(images.everything)
    assert len(tested & parts[2]) > 0
    assert [line.split(" pictures ")[1].split(":")[0] for line in said] == [
        "to watch the training with, copied from others",
        "to learn from, copied from others",
    ]
    left_out = sum(int(line.split()[2]) for line in said)
    assert len(training) + len(validation) + len(images.test) == 120 - left_out


def test_a_copy_in_another_class_or_under_another_name_is_one(tmp_path: Path, load: Load, said: list[str]) -> None:
    folder = write(tmp_path / "photos" / "train", 12).parent
    write(folder / "test", 3)
    for path in sorted((folder / "test" / "bird").iterdir()):
        (folder / "train" / "airplane" / f"{path.stem}-again.png").write_bytes(path.read_bytes())
    images = load(folder)
    assert not shown(images.train) & shown(images.test)
    assert counts(images.train) == [9, 9, 9]
    assert len(images.train) + len(images.test) == 36
    [line] = [line for line in said if "to learn from" in line]
    assert " from " in line
    [line] = [line for line in said if "two classes" in line]
    assert re.fullmatch(r"3 pictures of these in two classes: .*/airplane/.* and .*/bird/.*; correct one, \.\.\.", line)


def test_what_is_passed_over_is_told(tmp_path: Path, load: Load, said: list[str]) -> None:
    folder = write(tmp_path / "photos", 10)
    (folder / "bird" / "telephone.HEIC").write_bytes(b"HEIC")
    load(folder)
    place = folder / "bird" / "telephone.HEIC"
    assert said == [f"passed over 1 picture of kinds that are not read: {place}; save as JPEG"]


def test_a_class_of_nothing_but_copies(tmp_path: Path, load: Load) -> None:
    folder = write(tmp_path / "photos" / "train", 10).parent
    write(folder / "val", 20)
    with pytest.raises(
        DataError, match=r"^the class airplane of .* has too few pictures that are not copies of others;"
    ):
        load(folder).split()


def test_a_class_of_three_that_are_no_copies_is_divided(tmp_path: Path, load: Load) -> None:
    folder = write(tmp_path / "photos" / "train", 10).parent
    write(folder / "test", 7)
    training, validation = load(folder).split()
    assert [counts(part) for part in (training, validation)] == [[2] * 3, [1] * 3]


def test_nothing_but_copies_to_watch_with(tmp_path: Path, load: Load) -> None:
    folder = write(tmp_path / "photos" / "train", 10).parent
    write(folder / "test", 4)
    shutil.copytree(folder / "test", folder / "val")
    with pytest.raises(DataError, match=r"^all pictures of .* to watch the training with are copies of test pictures"):
        load(folder).split()


def test_pictures_of_the_same_size_are_compared_by_what_they_hold(tmp_path: Path, load: Load, said: list[str]) -> None:
    images = load(write(tmp_path / "bitmaps", 20, "bmp"))
    assert [counts(part) for part in (*images.split(), images.test)] == [[14] * 3, [3] * 3, [3] * 3]
    assert said == []


def test_a_part_mixes_the_classes(folder: Path, load: Load) -> None:
    training, _ = load(folder).split()
    assert set(training.labels[:9]) == {0, 1, 2}


def test_more_pictures_do_not_make_training_images_of_test_images(folder: Path, load: Load) -> None:
    before = load(folder)
    training, test = before.split()[0], shown(before.test)
    write(folder, 30)
    after = load(folder)
    assert counts(after.test) == [5, 5, 5]
    assert not shown(after.test) & shown(training)
    assert len(test - shown(after.test)) <= 3


def test_classes_of_different_sizes(tmp_path: Path, load: Load) -> None:
    folder = write(tmp_path / "photos", 10)
    write(tmp_path / "more", 37)
    shutil.copytree(tmp_path / "more" / "bird", folder / "bird", dirs_exist_ok=True)
    images = load(folder)
    training, validation = images.split()
    assert [counts(part) for part in (training, validation, images.test)] == [[6, 6, 25], [2, 2, 6], [2, 2, 6]]


def test_divided_folders(tmp_path: Path, load: Load) -> None:
    write(tmp_path / "two" / "train", 20)
    write(tmp_path / "two" / "val", 3, skip=20)
    images = load(tmp_path / "two")
    training, validation = images.split()
    assert [counts(part) for part in (training, validation, images.test)] == [[17] * 3, [3] * 3, [3] * 3]
    assert shown(images.test) == {pixels(path, SPEC).tobytes() for path in (tmp_path / "two" / "val").rglob("*.png")}

    write(tmp_path / "two" / "test", 4, skip=23)
    images = load(tmp_path / "two")
    training, validation = images.split()
    assert [counts(part) for part in (training, validation, images.test)] == [[20] * 3, [3] * 3, [4] * 3]
    assert len(images.everything) == 81


def test_csv(folder: Path, load: Load) -> None:
    lines = [f"{path.relative_to(folder.parent)},{path.parent.name}\n" for path in folder.rglob("*.png")]
    listed = folder.parent / "list.csv"
    listed.write_text("path,label\n" + "".join(reversed(lines)))
    images = load(listed)
    assert [part.name for part in (*images.split(), images.test)] == ["list/train-42", "list/validation-9", "list/test"]
    assert shown(images.everything) == shown(load(folder).everything)


def test_too_few_pictures_of_a_class(folder: Path, load: Load) -> None:
    for path in sorted((folder / "bird").iterdir())[9:]:
        path.unlink()
    images = load(folder)
    for part in (images.split, lambda: images.test):
        with pytest.raises(
            DataError, match=r"the class bird of .*photos has 9 pictures, too few to divide: at least 10"
        ):
            part()
    assert counts(images.everything) == [20, 20, 9]


def test_a_listed_test_wants_no_division(tmp_path: Path, load: Load) -> None:
    write(tmp_path / "photos" / "train", 5)
    write(tmp_path / "photos" / "test", 3, skip=5)
    images = load(tmp_path / "photos")
    assert counts(images.test) == [3, 3, 3]
    assert counts(images.train) == [5, 5, 5]
    assert shown(images.calibration) <= shown(images.train)
    with pytest.raises(DataError, match="has 5 pictures, too few to divide: at least 10 give two for validation;"):
        images.split()


def test_a_model_with_more_labels(folder: Path, load: Load) -> None:
    images = load(folder, labels=cifar10.LABEL_NAMES[::-1])
    assert images.label_names == cifar10.LABEL_NAMES[::-1]
    assert counts(images.test) == [0] * 7 + [3] * 3
    with pytest.raises(DataError, match=r"does not know the class automobile and 1 more of .*photos: .*\(airplane, ca"):
        load(folder, labels=("airplane", "cat"))


def test_a_models_labels_may_be_written_otherwise(folder: Path, load: Load) -> None:
    images = load(folder, labels=("Bird", "airplane", "Auto_mobile", "AUTO mobile", "automobile"))
    assert counts(images.test) == [3, 3, 0, 0, 3]
    with pytest.raises(DataError, match="does not know the class automobile of"):
        load(folder, labels=("bird", "AIRPLANE", "auto mobile"))


def test_the_same_letters_go_before_others(tmp_path: Path, load: Load) -> None:
    for label, colours in (("cat", ["red"]), ("Cat", ["green", "blue"])):
        (tmp_path / "photos" / label).mkdir(parents=True, exist_ok=True)
        for colour in colours:
            Image.new("RGB", (4, 4), colour).save(tmp_path / "photos" / label / f"{colour}.png")
    if (tmp_path / "photos" / "CAT").exists():
        pytest.skip("the file system does not tell capitals apart")
    for labels, expected in ((("cat", "Cat"), [1, 2]), (("Cat", "cat"), [2, 1])):
        assert counts(load(tmp_path / "photos", labels=labels).everything) == expected


def test_calibration_is_of_training_images(folder: Path, load: Load) -> None:
    shutil.copytree(folder / "bird", folder / "plover")
    images = load(folder)
    training, validation = images.split()
    assert images.calibration.name == "photos/calibration"
    assert counts(images.calibration) == counts(training)
    assert shown(images.calibration) == shown(training)
    assert not shown(images.calibration) & (shown(validation) | shown(images.test))


def test_no_more_than_enough_for_calibration(folder: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calibration, "MOST", 20)
    first, second = load(folder), load(folder)
    assert counts(first.calibration) == [6, 6, 6]
    assert first.calibration.fingerprint == second.calibration.fingerprint
    assert shown(first.calibration) < shown(first.split()[0])


def test_a_second_time_decodes_nothing(folder: Path, load: Load, decoded: list[Path]) -> None:
    first = load(folder)
    assert not decoded
    assert len(first.test) == len(decoded) == 9
    training, validation = first.split()
    assert len(first.train) + len(first.test) == len(decoded) == 60
    second = load(folder)
    assert [part.fingerprint for part in second.split()] == [training.fingerprint, validation.fingerprint]
    assert second.test.fingerprint == first.test.fingerprint
    assert len(decoded) == 60


def test_another_process_that_decodes_the_same_at_once(
    folder: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename

    def beaten(path: Path, target: Path) -> Path:
        if path.name == "fresh":
            monkeypatch.setattr(Path, "rename", rename)
            assert len(load(folder).test) == 9  # which the other now puts in its place
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", beaten)
    mine = load(folder).test
    monkeypatch.setattr(photos_cache, "_decode", None)
    assert mine.fingerprint == load(folder).test.fingerprint


def test_a_changed_picture_is_decoded_anew(folder: Path, load: Load, decoded: list[Path]) -> None:
    before = load(folder).everything
    path = min((folder / "bird").iterdir())
    Image.new("RGB", (32, 32), "red").save(path)
    after = load(folder).everything
    assert len(decoded) == 120
    assert sum((one != other).any() for one, other in zip(before.images, after.images, strict=True)) == 1
    # The same size, and only the time tells.
    content = path.read_bytes()
    path.write_bytes(content)
    os.utime(path, ns=(1, 1))
    assert load(folder).everything.fingerprint == after.fingerprint
    assert len(decoded) == 180
    load(folder, InputSpec(32, 32, "box")).everything  # noqa: B018
    assert len(decoded) == 240


@pytest.mark.parametrize(("owner", "name", "value"), [(PIL, "__version__", "0.1"), (photos_cache, "ENOUGH", 5)])
def test_what_another_decoder_gave_is_decoded_anew(
    owner: object,
    name: str,
    value: object,
    folder: Path,
    load: Load,
    decoded: list[Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = load(folder).everything.fingerprint
    monkeypatch.setattr(owner, name, value)
    for _ in range(2):
        assert load(folder).everything.fingerprint == before
        assert len(decoded) == 120


def test_the_cache_holds_one_entry_for_each_part_and_size(folder: Path, load: Load) -> None:
    entries = data_folder() / photos_cache.FOLDER
    for size in (32, 16):
        images = load(folder, InputSpec(size, size))
        assert (len(images.train), len(images.test)) == (51, 9)
    assert len(list(entries.iterdir())) == 4
    write(folder, 21)
    assert len(load(folder).test) == 9
    assert len(list(entries.iterdir())) == 4


@pytest.mark.parametrize("damage", ["short", "gone", "no JSON", "another list"])
def test_a_damaged_cache_is_made_again(folder: Path, load: Load, damage: str, decoded: list[Path]) -> None:
    expected = load(folder).test.fingerprint
    (entry,) = (data_folder() / photos_cache.FOLDER).iterdir()
    if damage == "short":
        os.truncate(entry / "pixels.u8", 100)
    elif damage == "gone":
        (entry / "pixels.u8").unlink()
    else:
        (entry / "about.json").write_text({"no JSON": "{", "another list": "[]"}[damage])
    assert load(folder).test.fingerprint == expected
    assert len(decoded) == 18


def test_images_are_mapped_and_read_only(folder: Path, load: Load) -> None:
    images = load(folder)
    for data in (images.train, *images.split(), images.test):
        assert isinstance(data.images, np.memmap)
        assert not data.images.flags.writeable
    training, _ = images.split()
    chunk = training.images[np.array([5, 2, 5])]
    assert (type(chunk), chunk.dtype, chunk.shape) == (np.ndarray, np.uint8, (3, 32, 32, 3))
    np.testing.assert_array_equal(chunk[1], training.images[2])
    assert len(training.images) == len(training) == 42


def test_images_larger_than_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "pixels.u8"
    path.touch()
    os.truncate(path, 10**11)  # of which the disk stores nothing
    count = 10**11 // (1000 * 1000 * 3)
    images = np.memmap(path, np.uint8, "r", shape=(count, 1000, 1000, 3))
    data = Dataset("huge", images, np.arange(count) % 2, ("even", "odd"))
    assert isinstance(Dataset("half", data.images[count // 2 :], data.labels[count // 2 :], ("", "")).images, np.memmap)
    assert data.balanced("few", 2, 0).images.shape == (4, 1000, 1000, 3)


def test_damaged_pictures_are_listed_and_skipped(folder: Path, load: Load, said: list[str]) -> None:
    whole = load(folder)
    training = shown(whole.split()[0])
    bad = sorted((folder / "bird").iterdir())[0], sorted((folder / "airplane").iterdir())[3]
    bad[0].write_bytes(b"no picture")
    bad[1].write_bytes(bad[1].read_bytes()[:60])
    for _ in range(2):  # the second time from the cache
        images = load(folder)
        assert len(images.everything) == 58
        assert sorted(line.split(":")[0] for line in said) == sorted(f"skipped {path}" for path in bad)
        said.clear()
    assert len(load(folder).train) + len(load(folder).test) == 58
    assert shown(load(folder).split()[0]) <= training, "the others stay where they were"


def test_a_picture_that_may_be_read_again_is_no_longer_skipped(
    folder: Path, load: Load, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shut = sorted((folder / "bird").iterdir())[0]

    def refused(path: Path, spec: InputSpec) -> object:
        if path == shut:
            raise ImageError(f"{path}: Permission denied")
        return pixels(path, spec)

    with monkeypatch.context() as patched:  # root may read everything
        patched.setattr(photos_cache, "pixels", refused)
        assert len(load(folder).everything) == 59
    assert said == [f"skipped {shut}: Permission denied"]
    assert len(load(folder).everything) == 60


def test_too_many_damaged_pictures(folder: Path, load: Load, said: list[str]) -> None:
    for path in sorted((folder / "bird").iterdir())[:4]:
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"4 of 60 pictures are damaged, more than 5%; repair or remove those listed"):
        load(folder).everything  # noqa: B018
    assert len(said) == 4
    assert not list((data_folder() / photos_cache.FOLDER).iterdir())


def test_one_damaged_picture_is_never_too_many(tmp_path: Path, load: Load) -> None:
    folder = write(tmp_path / "photos", 4)
    min((folder / "bird").iterdir()).write_bytes(b"no picture")
    assert counts(load(folder).everything) == [4, 4, 3]


def test_a_class_of_which_nothing_is_left(tmp_path: Path, load: Load) -> None:
    folder = write(tmp_path / "photos" / "train", 20).parent
    write(folder / "val", 20)
    only = sorted((folder / "val" / "bird").iterdir())
    for path in only[1:]:
        path.unlink()
    only[0].write_bytes(b"no picture")
    with pytest.raises(DataError, match="all pictures of the class bird in photos/test are damaged"):
        load(folder).test  # noqa: B018


def test_pictures_to_watch_with_of_which_nothing_is_left(tmp_path: Path, load: Load) -> None:
    folder = write(tmp_path / "photos" / "train", 20).parent
    write(folder / "test", 5, skip=20)
    write(folder / "val", 1)
    for path in (folder / "val").rglob("*.*"):
        path.write_bytes(b"no picture")
    with pytest.raises(DataError, match="all pictures of photos that the training is to be watched with are damaged"):
        load(folder).split()


def test_a_link_to_nowhere_is_a_damaged_picture(folder: Path, load: Load, said: list[str]) -> None:
    (folder / "bird" / "gone.png").symlink_to("nowhere")
    assert len(load(folder).everything) == 60
    assert said == [f"skipped {folder}/bird/gone.png: no such file; check the path"]


def test_the_progress(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photos_cache, "_BLOCK", 25)
    seen: list[tuple[int, int]] = []
    photos.load(folder, SPEC, None, print, lambda *figures: seen.append(figures)).everything  # noqa: B018
    assert seen == [(25, 60), (50, 60), (60, 60)]


def test_any_number_of_workers(folder: Path) -> None:
    paths = sorted(folder.rglob("*.png"))
    read = [
        photos_cache.read(paths, SPEC, f"{workers}", print, lambda *_: None, workers)[0].tobytes()
        for workers in (1, 2, 7)
    ]
    assert read[0] == read[1] == read[2]


def test_warning_filters_are_left_as_they_were(folder: Path, load: Load) -> None:
    before = list(warnings.filters)
    assert len(load(folder).everything) == 60
    assert list(warnings.filters) == before


def test_an_interrupt_leaves_nothing(folder: Path, load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        photos.load(folder, SPEC, None, print, interrupted).everything  # noqa: B018
    assert not list((data_folder() / photos_cache.FOLDER).iterdir())


def test_what_a_killed_process_left_is_removed_a_day_later(folder: Path, load: Load) -> None:
    place = data_folder() / photos_cache.FOLDER
    for name, days in (("abandoned", 1.1), ("at-work", 0.9)):
        pixels_there = place / f".0123-{name}" / "fresh" / "pixels.u8"
        pixels_there.parent.mkdir(parents=True)
        pixels_there.write_bytes(b"half")
        for path in (pixels_there, *pixels_there.parents[:2]):
            os.utime(path, (time.time() - days * 24 * 3600,) * 2)
    load(folder).everything  # noqa: B018
    assert [path.name for path in place.glob(".*")] == [".0123-at-work"]


def test_what_a_slow_process_still_writes_stays(folder: Path, load: Load) -> None:
    place = data_folder() / photos_cache.FOLDER
    begun = place / ".0123-at-work" / "fresh"
    begun.mkdir(parents=True)
    (begun / "pixels.u8").write_bytes(b"half")
    for path in (begun, begun.parent):
        os.utime(path, (time.time() - 2 * 24 * 3600,) * 2)
    load(folder).everything  # noqa: B018
    assert (begun / "pixels.u8").read_bytes() == b"half"


def test_a_cache_that_cannot_be_written(
    folder: Path, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("EDGECNN_DATA", str(tmp_path / "file"))
    with pytest.raises(DataError, match=r"cannot keep 0\.0 GB of decoded pictures in .*; set EDGECNN_DATA to another"):
        load(folder).test  # noqa: B018


def test_a_disk_that_is_full_when_the_pixels_are_to_stay(
    folder: Path, load: Load, decoded: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    place = data_folder() / photos_cache.FOLDER
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(DataError, match=r"cannot keep .* of decoded pictures in .* \(No space left on device\)"):
            load(folder).test  # noqa: B018
    assert not list(place.iterdir())
    load(folder).test  # noqa: B018
    before = {path: path.read_bytes() for path in place.rglob("*.*")}
    monkeypatch.setattr(os, "fsync", full)
    path = min(decoded)
    os.utime(path, ns=(1, 1))
    with pytest.raises(DataError, match=r"No space left on device"):
        load(folder).test  # noqa: B018
    assert {path: path.read_bytes() for path in place.rglob("*.*")} == before
