"""Training and validation images are always the same ones, and never both."""

from __future__ import annotations

import hashlib

import numpy as np

from edgecnn.data.cifar10 import split_indices


def test_split() -> None:
    labels = np.arange(50_000) % 10
    learning, validation = split_indices(labels)
    assert (len(learning), len(validation)) == (45_000, 5_000)
    assert set(learning) | set(validation) == set(range(50_000))
    assert np.bincount(labels[validation]).tolist() == [500] * 10
    # Were another numpy to draw other images, two runs could no longer be compared.
    digest = hashlib.sha256(validation.astype("<i8").tobytes()).hexdigest()
    assert digest == "1ec0f0d4dc8bd47f02fdb031030e4213480e709848ff9fcd461a56b5319c1135"
