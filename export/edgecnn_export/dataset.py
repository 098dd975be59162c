"""Labelled images: what a network is trained on, calibrated with and proved against."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.int64]

# Two pictures of 224 x 224, about a hundred of 32 x 32: calibration keeps most of VGG16's activations, 60 MB a picture.
_BATCH_PIXELS = 2 * 224 * 224


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled images, in memory or mapped from a file that may be larger.

    Of a mapped file a slice of ``images`` stays mapped, and an array of indices reads what it names.

    Attributes:
        name: what it is and which part, for instance ``cifar10/test``.
        images: RGB pixels 0..255, shape (N, height, width, 3).
        labels: class indices, shape (N,); -1 where the label is not known.
        label_names: class names; a label is an index into them.
    """

    name: str
    images: Images
    labels: Labels
    label_names: tuple[str, ...]

    def __post_init__(self) -> None:
        """Make the name text: a folder's may be any bytes, and a proof is UTF-8."""
        object.__setattr__(self, "name", self.name.encode("utf-8", "replace").decode())

    def __len__(self) -> int:
        """Number of images."""
        return len(self.images)

    @property
    def labelled(self) -> bool:
        """Whether every label is known."""
        return bool((self.labels >= 0).all())

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over names, labels and pixels, so that a proof names exactly what it was made on."""
        digest = hashlib.sha256("\n".join(self.label_names).encode())
        digest.update(np.ascontiguousarray(self.labels, dtype="<i8").tobytes())
        digest.update(np.ascontiguousarray(self.images).data)
        return digest.hexdigest()

    def subset(self, name: str, indices: npt.NDArray[Any]) -> Dataset:
        """The images at ``indices``, in that order, under a name of their own."""
        return Dataset(name, self.images[indices], self.labels[indices], self.label_names)

    def balanced(self, name: str, per_class: int, seed: int) -> Dataset:
        """Up to ``per_class`` images of each class, drawn by a fixed seed, in their original order."""
        return self.subset(name, stratified_indices(self.labels, per_class, seed))


def stratified_indices(labels: Labels, per_class: int, seed: int) -> npt.NDArray[np.int64]:
    """Indices of up to ``per_class`` random members of each class, ascending."""
    rng = np.random.default_rng(seed)
    members = (np.flatnonzero(labels == label) for label in np.unique(labels))
    chosen = [rng.permutation(indices)[:per_class] for indices in members]
    return np.sort(np.concatenate(chosen))


def batch_size(images: Images) -> int:
    """How many of these images a network should compute at once, so that its activations stay small."""
    _, height, width, _ = images.shape
    return max(1, _BATCH_PIXELS // (height * width))


def batches(images: Images) -> Iterator[Images]:
    """The images, shape (N, height, width, 3), in runs of :func:`batch_size`."""
    size = batch_size(images)
    return (images[start : start + size] for start in range(0, len(images), size))
