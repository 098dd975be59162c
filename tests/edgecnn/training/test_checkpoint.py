from __future__ import annotations

import errno
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from edgecnn.training import checkpoint
from edgecnn.training.checkpoint import Progress
from edgecnn.training.recipe import DEFAULT
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.errors import TrainingError

RECIPE = replace(DEFAULT, seed=3, epochs=4)
DATA = Dataset("photos/train-2", np.zeros((2, 4, 4, 3), np.uint8), np.array([0, 1]), ("cat", "dog"))
PROGRESS = Progress(
    epoch=2,
    step=17,
    loss_sum=31.25,
    correct=123.0,
    seconds=4.5,
    history=[{"epoch": 1.0, "loss": 0.1 + 0.2}, {"epoch": 2.0, "loss": float("nan")}],
)


class Variable:
    """As much of a Keras variable as a checkpoint needs."""

    def __init__(self, value: npt.NDArray[Any]) -> None:
        self.value = value
        self.shape = value.shape

    def __array__(self, dtype: Any = None, copy: Any = None) -> npt.NDArray[Any]:
        return self.value

    def assign(self, value: npt.NDArray[Any]) -> None:
        self.value = value


def variables(seed: int, width: int = 5) -> list[Variable]:
    """Weights, a dropout's seed and a step count."""
    rng = np.random.default_rng(seed)
    weights = [rng.standard_normal((4, width)).astype(np.float32), rng.standard_normal(width).astype(np.float32)]
    return [*map(Variable, weights), Variable(rng.integers(0, 2**32, 2, np.uint32)), Variable(np.array(seed))]


def assert_holds(path: Path, saved: list[Variable]) -> None:
    restored = variables(seed=99)
    checkpoint.restore(path, restored)
    for new, old in zip(restored, saved, strict=True):
        assert new.value.dtype == old.value.dtype
        np.testing.assert_array_equal(new.value, old.value)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.npz"
    checkpoint.save(path, "baseline", RECIPE, DATA, PROGRESS, variables(seed=1))
    return path


def test_it_knows_everything(path: Path) -> None:
    network, recipe, progress = checkpoint.peek(path)
    assert (network, recipe) == ("baseline", RECIPE)
    assert repr(progress) == repr(PROGRESS)  # NaN is not equal to itself
    assert_holds(path, variables(seed=1))
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_it_knows_what_it_learns_from(path: Path) -> None:
    checkpoint.check(path, replace(DATA, name="photos-moved/train-2"))
    message = r"learns from photos/train-2, and photos/train-2 is not the same images; resume it with the --data"
    for other in ({"label_names": ("apple", "pear")}, {"labels": np.array([1, 0])}, {"images": DATA.images + 1}):
        with pytest.raises(TrainingError, match=message):
            checkpoint.check(path, replace(DATA, **other))


def test_it_knows_who_teaches(path: Path) -> None:
    recipe = replace(RECIPE, teacher="runs/wise", distillation=0.5)
    checkpoint.save(path, "baseline", recipe, DATA, PROGRESS, variables(seed=1), teacher="0a1b")
    checkpoint.check(path, DATA, "0a1b")
    with pytest.raises(TrainingError, match=r"the teacher runs/wise is another file than .* began with; put that one"):
        checkpoint.check(path, DATA, "0a1c")


def test_a_later_one_takes_its_place(path: Path) -> None:
    checkpoint.save(path, "baseline", RECIPE, DATA, Progress(epoch=3), variables(seed=2))
    assert checkpoint.peek(path)[2] == Progress(epoch=3)
    assert_holds(path, variables(seed=2))


class Breaking(Variable):
    """A variable whose reading fails."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> npt.NDArray[Any]:
        raise KeyboardInterrupt


def _fails_half_way(file: Any, **arrays: Any) -> None:
    file.write(b"PK\x03\x04 half a file")
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_old_one(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    monkeypatch.setattr(np, "savez", _fails_half_way)
    with pytest.raises(TrainingError, match=r"checkpoint\.npz cannot be written \(No space left on device\)"):
        checkpoint.save(path, "baseline", RECIPE, DATA, Progress(epoch=3), variables(seed=2))
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_an_interrupt_leaves_the_old_one(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        checkpoint.save(path, "baseline", RECIPE, DATA, Progress(), [Breaking(np.zeros(1))])
    assert path.read_bytes() == before


def test_it_is_renamed_only_when_it_is_whole(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    def replace_and_look(temporary: Path, target: Path) -> None:
        assert target == path
        looked.append(checkpoint.peek(temporary)[2].epoch)
        assert_holds(temporary, variables(seed=2))

    monkeypatch.setattr(Path, "replace", replace_and_look)
    checkpoint.save(path, "baseline", RECIPE, DATA, Progress(epoch=3), variables(seed=2))
    assert looked == [3]


@pytest.mark.parametrize(
    "others",
    [variables(seed=2, width=6), variables(seed=2)[:-1], [*variables(seed=2), Variable(np.zeros(3))], []],
    ids=["other shapes", "fewer", "more", "none"],
)
def test_another_networks_weights_are_refused(path: Path, others: list[Variable]) -> None:
    before = [other.value for other in others]
    with pytest.raises(TrainingError, match="holds the weights of another network or optimizer"):
        checkpoint.restore(path, others)
    assert all(other.value is value for other, value in zip(others, before, strict=True))


def read(path: Path) -> None:
    checkpoint.peek(path)
    checkpoint.restore(path, variables(seed=2))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file(path: Path, share: float) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(TrainingError, match=r"checkpoint\.npz is damaged, or of another version of edgecnn"):
        read(path)


def test_a_damaged_byte(path: Path) -> None:
    damaged = bytearray(path.read_bytes())
    at = damaged.index(variables(seed=1)[0].value.tobytes())
    damaged[at + 5] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(TrainingError, match="is damaged, or of another version of edgecnn"):
        read(path)


def test_any_damaged_byte_is_one_kind_of_error(path: Path) -> None:
    """What says how a member is packed, too, at the end: the version, the method, the flag that it is encrypted."""
    whole, refused = path.read_bytes(), 0
    positions = [*range(0, len(whole), 50), *range(len(whole) - 150, len(whole))]
    for at in positions:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            read(path)
        except TrainingError:
            refused += 1
    assert refused > len(positions) / 2


def _text(path: Path) -> None:
    path.write_text("not a checkpoint")


def _one_array(path: Path) -> None:
    with path.open("wb") as file:
        np.save(file, np.zeros(3))


def _other_arrays(path: Path) -> None:
    np.savez(path, weights=np.zeros(3))


def _other_about(path: Path) -> None:
    np.savez(path, about=np.array("[1, 2]"))


def _other_progress(path: Path) -> None:
    np.savez(path, about=np.array('{"network": "baseline", "recipe": {}, "progress": {}}'))


def _python_objects(path: Path) -> None:
    np.savez(path, about=np.array([{}], dtype=object))


def _archive(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("about.npy", "nothing of ours")


def _folder(path: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "write",
    [_text, _one_array, _other_arrays, _other_about, _other_progress, _python_objects, _archive, _folder],
)
def test_a_foreign_file(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "checkpoint.npz"
    write(path)
    with pytest.raises(TrainingError):
        checkpoint.peek(path)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"checkpoint\.npz does not exist: there is no run to resume there"):
        checkpoint.peek(tmp_path / "checkpoint.npz")
