"""How good a network is: the sections on the classes, and on the best and worst predictions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup

from edgecnn import plots
from edgecnn.metrics import surest
from edgecnn.report.answers import Evidence
from edgecnn.report.figures import inline
from edgecnn.report.pictures import address, heated
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    import keras

_MOST_CLASSES = 40
"""So many still fit into a matrix that can be read on a page."""

_PAIRS, _BEST, _WORST = 8, 12, 8


@dataclass(frozen=True)
class Confused:
    """How many images of a class got another label, and which share of the class that is."""

    label: str
    taken_for: str
    images: int
    share: float


@dataclass(frozen=True)
class Shown:
    """A picture with its answer.

    Attributes:
        picture: ``data:`` address.
        position: among the test images.
        label: the true one.
        guess: the one it got.
        probability: of that.
        evidence: ``data:`` addresses of where the evidence for the guess, and for the true label, is.
    """

    picture: str
    position: int
    label: str
    guess: str
    probability: float
    evidence: tuple[str, ...] = ()


def matrix(evidence: Evidence, name: str) -> Markup | None:
    """The confusion matrix, unless there are too many classes for one."""
    confusion = evidence.chief.metrics.confusion
    if np.count_nonzero(confusion.sum(0) + confusion.sum(1)) > _MOST_CLASSES:
        return None
    draw = partial(plots.confusion, data=evidence.data, probabilities=evidence.chief.probabilities)
    return inline(f"{name}-confusion", "confusion matrix", draw)


def confused(evidence: Evidence) -> list[Confused]:
    """The most frequent mistakes."""
    counts = evidence.chief.metrics.confusion
    wrong = counts - np.diag(counts.diagonal())
    order = np.argsort(-wrong, axis=None, kind="stable")[:_PAIRS].tolist()
    names, classes = evidence.data.label_names, len(counts)
    pairs = [(each // classes, each % classes) for each in order]
    return [
        Confused(names[label], names[guess], int(wrong[label, guess]), float(wrong[label, guess] / counts[label].sum()))
        for label, guess in pairs
        if wrong[label, guess]
    ]


def best(evidence: Evidence) -> list[Shown]:
    """The surest right answer of each class, the surest first."""
    order = surest(evidence.data.labels, evidence.chief.probabilities, right=True)
    _, first = np.unique(evidence.data.labels[order], return_index=True)
    return [_shown(evidence, int(index)) for index in order[np.sort(first)][:_BEST]]


def worst(evidence: Evidence, model: keras.Model | None) -> list[Shown]:
    """The surest wrong answers; of a Keras model with convolutions, with the evidence for both labels."""
    order = surest(evidence.data.labels, evidence.chief.probabilities, right=False)
    return [_shown(evidence, int(index), _evidence(evidence, model, int(index))) for index in order[:_WORST]]


def _shown(evidence: Evidence, index: int, maps: tuple[str, ...] = ()) -> Shown:
    data, guess = evidence.data, int(evidence.chief.guesses[index])
    probability = float(evidence.chief.probabilities[index, guess])
    label = data.label_names[data.labels[index]]
    return Shown(address(data.images[index]), index, label, data.label_names[guess], probability, maps)


def _evidence(evidence: Evidence, model: keras.Model | None, index: int) -> tuple[str, ...]:
    if model is None:
        return ()
    from edgecnn.inspection import layers
    from edgecnn.inspection.grad_cam import grad_cam

    try:
        layer = layers.last_with_maps(model)
    except UsageError:  # no convolution
        return ()
    pixels, data = evidence.data.images[index], evidence.data
    maps = grad_cam(model, layer, pixels, [int(evidence.chief.guesses[index]), int(data.labels[index])])
    return tuple(address(heated(pixels, each)) for each in maps)
