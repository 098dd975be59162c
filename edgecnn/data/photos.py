"""Your own labelled photographs, divided into training, validation and test images."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from edgecnn.data import photos_cache, photos_listing
from edgecnn.data.photos_cache import Progress, Say
from edgecnn.data.photos_copies import without_copies
from edgecnn.data.photos_listing import Photo
from edgecnn_export import calibration
from edgecnn_export.dataset import Dataset
from edgecnn_runtime.contract import InputSpec
from edgecnn_runtime.errors import DataError
from edgecnn_runtime.wording import counted

SHARE = 15
"""Per cent of each class that are for the test, and for validation."""

FEWEST = 10
"""Pictures of a class that is to be divided: six to learn from, and two each for validation and for the test."""

SPLIT_SEED = 10


@dataclass(frozen=True, eq=False)
class Photos:
    """A photo set at one input size. The pictures of a part are decoded when it is first asked for.

    Of an undivided set, 15 % of each class are for the test and 15 % for validation. With ``train/`` and ``val/`` (or
    ``test/``), the latter is the test, and 15 % of each class of ``train/`` are for validation. With all three, each
    is what its name says. A picture that is there twice is in one part only: not among those to learn from if one that
    is the same, byte for byte, is for validation or for the test.

    Attributes:
        source: the folder or the CSV.
        spec: how a picture becomes the network's input.
        label_names: class names; a label is an index into them.
        listing: the photographs, by part as they came.
        say: told of each damaged picture, which is left out.
        progress: told how far the decoding is.
    """

    source: Path
    spec: InputSpec
    label_names: tuple[str, ...]
    listing: dict[str, list[Photo]]
    say: Say
    progress: Progress

    @property
    def train(self) -> Dataset:
        """All images to learn from, those for validation among them."""
        return self._to_learn_from[0]

    def split(self) -> tuple[Dataset, Dataset]:
        """Divide ``train`` into the images to learn from and those to choose by, without a copy.

        Raises:
            DataError: a class has too few photographs to be divided.
        """
        if self._too_few:
            raise DataError(self._too_few)
        whole, count = self._to_learn_from
        return self._slice(whole, "train", slice(count)), self._slice(whole, "validation", slice(count, None))

    @cached_property
    def test(self) -> Dataset:
        """The images that nothing is chosen by."""
        return self._decode("test", self._parts[0])[0]

    @property
    def evaluation(self) -> Dataset:
        """The images to prove a file on: those of the test."""
        return self.test

    @cached_property
    def calibration(self) -> Dataset:
        """Some of the images to learn from, as many of each class, no more in all than are enough, but one of each."""
        training = self.train if self._too_few else self.split()[0]
        per_class = max(1, calibration.enough(self.spec) // len(np.unique(training.labels)))
        return training.balanced(f"{self._name}/calibration", per_class, SPLIT_SEED)

    @cached_property
    def everything(self) -> Dataset:
        """Every image of the set, which need not be large enough to be divided."""
        return self._decode("all", self._drawn(*self.listing))[0]

    @property
    def _name(self) -> str:
        place = self.source.resolve()
        return place.name if place.is_dir() else place.stem

    @cached_property
    def _to_learn_from(self) -> tuple[Dataset, int]:
        """The images of ``train``, and how many of them come before those for validation."""
        test, *learnt = self._parts
        if len(learnt) == 1:
            learnt = self._divide(without_copies(learnt[0], test, "to learn from", self.say), 1)
        validation = without_copies(learnt[0], test, "to watch the training with", self.say)
        training = without_copies(learnt[1], [*validation, *test], "to learn from", self.say)
        enough = training if not self._too_few else [*validation, *training]
        for lost in sorted({photo.label for photo in test} - {photo.label for photo in enough}):
            raise DataError(
                f"the class {lost} of {self.source} has too few pictures that are not copies of others; add some"
            )
        if not validation:
            raise DataError(
                f"all pictures of {self.source} to watch the training with are copies of test pictures; add others"
            )
        return self._decode("train", training, validation)

    @cached_property
    def _parts(self) -> list[list[Photo]]:
        """The photographs for the test, and those for validation and to learn from, which may be still together."""
        if "all" in self.listing:
            if self._too_few:
                raise DataError(self._too_few)
            return self._divide(self._drawn("all"), 2)
        if len(self.listing) == 3:
            return [self._drawn(part) for part in ("test", "val", "train")]
        return [self._drawn(*(self.listing.keys() - {"train"})), self._drawn("train")]

    @cached_property
    def _too_few(self) -> str:
        """Why the photographs cannot be divided; empty if they can, or need not be."""
        divided, into = ("all", "two each for validation and test")
        if divided not in self.listing:
            divided, into = "train", "two for validation"
        sizes = Counter(photo.label for photo in self.listing[divided]) if len(self.listing) < 3 else Counter[str]()
        for label, size in sorted(sizes.items()):
            if size < FEWEST:
                return (
                    f"the class {label} of {self.source} has {counted(size, 'picture')}, too few "
                    f"to divide: at least {FEWEST} give {into}; add some, or remove the class"
                )
        return ""

    def _drawn(self, *parts: str) -> list[Photo]:
        """The photographs of these parts in an order drawn from the seed and their names.

        A picture that is added later goes somewhere between the others and hardly moves them, so that a model's test
        images do not become another's training images.
        """

        def number(photo: Photo) -> bytes:
            name = os.path.relpath(photo.path, self.source if self.source.is_dir() else self.source.parent)
            return hashlib.sha256(b"%d/" % SPLIT_SEED + os.fsencode(name)).digest()

        return sorted((photo for part in parts for photo in self.listing[part]), key=number)

    def _divide(self, photos: list[Photo], times: int) -> list[list[Photo]]:
        """``SHARE`` per cent of each class, so many times, and then the rest."""
        sizes = Counter(photo.label for photo in photos)
        divided: list[list[Photo]] = [[] for _ in range(times + 1)]
        seen: Counter[str] = Counter()
        for photo in photos:
            share = max(1, (sizes[photo.label] * SHARE + 50) // 100)
            divided[min(seen[photo.label] // share, times)].append(photo)
            seen[photo.label] += 1
        return divided

    def _decode(self, part: str, photos: list[Photo], more: Sequence[Photo] = ()) -> tuple[Dataset, int]:
        """The images of ``photos`` and then of ``more``, and how many of them are of ``photos``."""
        all_photos = [*photos, *more]
        paths, origin = [photo.path for photo in all_photos], f"{self.source.resolve()}/{part}"
        images, kept = photos_cache.read(paths, self.spec, origin, self.say, self.progress)
        index = {label: number for number, label in enumerate(self.label_names)}
        labels = np.array([index[photo.label] for photo in all_photos], np.int64)
        count = int((kept < len(photos)).sum())
        for lost in sorted({*labels[: len(photos)]} - {*labels[kept[:count]]}):
            raise DataError(
                f"all pictures of the class {self.label_names[lost]} in {self._name}/{part} are damaged; "
                "replace those listed above"
            )
        if more and count == len(kept):
            raise DataError(
                f"all pictures of {self._name} that the training is to be watched with are damaged; "
                "replace those listed above"
            )
        return Dataset(f"{self._name}/{part}", images, labels[kept], self.label_names), count

    def _slice(self, whole: Dataset, part: str, rows: slice) -> Dataset:
        labels = whole.labels[rows]
        return Dataset(f"{self._name}/{part}-{len(labels)}", whole.images[rows], labels, self.label_names)


def load(source: Path, spec: InputSpec, labels: tuple[str, ...] | None, say: Say, progress: Progress) -> Photos:
    """List the photographs of a folder or a CSV; they are decoded later.

    Args:
        source: a folder that holds one sub-folder a class, or ``train/`` and ``val/`` of such sub-folders; or a CSV of
            path,label.
        spec: size and resize rule of the network's input.
        labels: the labels of a model, which must know every class of the set (capitals, and underscores for spaces, do
            not matter); without them, the set's own, sorted.
        say: told of each damaged picture, and of those of kinds that are not read.
        progress: told how far the decoding is.

    Raises:
        DataError: see :func:`edgecnn.data.photos_listing.read`; or a class is not one of ``labels``. When a part is
            asked for: a class has too few pictures to be divided, or none but copies of others, or too many pictures
            are damaged.
    """
    listing = photos_listing.read(source)
    if others := photos_listing.unread(source):
        named = f"{others[0]}{', ...' if len(others) > 1 else ''}"
        say(f"passed over {counted(len(others), 'picture')} of kinds that are not read: {named}; save as JPEG")
    own = sorted({photo.label for part in listing.values() for photo in part})
    if labels is None:
        return Photos(source, spec, tuple(own), listing, say, progress)
    known = {_folded(label): label for label in labels} | {label: label for label in labels}
    meant = {label: known.get(label) or known.get(_folded(label)) for label in own}
    if unknown := [label for label in own if meant[label] is None]:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise DataError(
            f"the model does not know the class {unknown[0]}{more} of {source}: it was trained on other labels "
            f"({', '.join(labels[:3])}{', ...' if len(labels) > 3 else ''})"
        )
    renamed = {part: [Photo(path, meant[label] or label) for path, label in of] for part, of in listing.items()}
    return Photos(source, spec, labels, renamed, say, progress)


def _folded(label: str) -> str:
    """The label as a folder may be called: capitals, and spaces for underscores, do not matter."""
    return label.replace("_", " ").casefold()
