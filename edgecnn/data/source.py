"""What ``--data`` means, for every command: nothing, its name or a data folder is CIFAR-10, all else a photo set."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Protocol

import numpy as np

from edgecnn.data import cifar10, cifar10_cache, photos, samples
from edgecnn.data.photos_cache import Progress, Say
from edgecnn.data.photos_listing import LAYOUTS
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError

Part = Literal["test", "validation", "train", "all"]


class Source(Protocol):
    """Labelled images in explicit parts. A part is loaded when it is first asked for."""

    @property
    def train(self) -> Dataset:
        """All images to learn from, those for validation among them."""

    def split(self) -> tuple[Dataset, Dataset]:
        """Divide ``train`` into the images to learn from and those to choose by."""

    @property
    def test(self) -> Dataset:
        """The images that nothing is chosen by."""

    @property
    def evaluation(self) -> Dataset:
        """The images to prove a file on: ``test``, or what can be had of it without a download."""

    @property
    def calibration(self) -> Dataset:
        """Images to learn from that set the int8 ranges, 500 or fewer."""

    @property
    def everything(self) -> Dataset:
        """Every image."""


def find(given: Path | None, spec: InputSpec, labels: tuple[str, ...] | None, say: Say, progress: Progress) -> Source:
    """The images meant by ``--data``.

    Args:
        given: nothing, or the word ``cifar10`` where nothing is called so, for the CIFAR-10 in ``$EDGECNN_DATA`` or the
            user's cache; a data folder with CIFAR-10; or a photo set, see :func:`edgecnn.data.photos.load`.
        spec: how a picture becomes the network's input. CIFAR-10 stays at 32 x 32: a network that takes more resizes
            inside its graph.
        labels: the labels of the model that is to be fed, if there is one.
        say: told of each damaged photograph.
        progress: told how far the decoding of photographs is.

    Raises:
        DataError: there is no such data, or the model is one of other labels.
    """
    if given == Path("cifar10") and not given.exists():
        given = None
    if given is None or any((cifar10.cache_folder(given) / f"{name}.npy").exists() for name in cifar10_cache.SHA256):
        if labels is not None and not cifar10.fits(spec, labels):
            raise DataError("the model was not trained on CIFAR-10; name its photographs with --data")
        return _Cifar10(given)
    try:
        if not given.is_file() and not (given.is_dir() and any(path.is_dir() for path in given.iterdir())):
            raise DataError(
                f"{given} {'holds no folders' if given.is_dir() else 'does not exist'}: photographs come as {LAYOUTS}; "
                f"CIFAR-10 is fetched with: {cifar10.fetch_command(given)}"
            )
        return photos.load(given, spec, labels, say, progress)
    except OSError as problem:
        raise DataError(f"{problem.filename} cannot be read ({problem.strerror}); check its permissions") from None


def part_of(source: Source, part: Part) -> Dataset:
    """One part of the images, by its name on the command line."""
    match part:
        case "test":
            return source.evaluation
        case "train":
            return source.split()[0]
        case "validation":
            return source.split()[1]
        case "all":
            return source.everything


@dataclass(frozen=True, eq=False)
class _Cifar10:
    """CIFAR-10 from the cache in ``folder``, and the images of it that the package carries."""

    folder: Path | None

    @cached_property
    def _whole(self) -> cifar10.Cifar10:
        return cifar10.load(self.folder)

    @property
    def train(self) -> Dataset:
        return self._whole.train

    @property
    def test(self) -> Dataset:
        return self._whole.test

    @property
    def everything(self) -> Dataset:
        images, labels = (
            np.concatenate([getattr(part, each) for part in (self.train, self.test)]) for each in ("images", "labels")
        )
        return Dataset("cifar10/all", images, labels, cifar10.LABEL_NAMES)

    @property
    def evaluation(self) -> Dataset:
        try:
            return self.test
        except DataError:
            # A set that was named, or that lies there and is damaged, is not silently replaced.
            if self.folder is not None or _lies_in_the_users_cache():
                raise
            return samples.test()

    @property
    def calibration(self) -> Dataset:
        return samples.calibration()

    def split(self) -> tuple[Dataset, Dataset]:
        return self._whole.split()


def _lies_in_the_users_cache() -> bool:
    try:
        return cifar10.cache_folder().exists()
    except DataError:  # nobody knows where that would be
        return False
