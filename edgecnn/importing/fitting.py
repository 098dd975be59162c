"""Which scale of the pixels a network was trained on: the one with which it knows labelled pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edgecnn.importing.pixel_scale import PixelScale, usual
from edgecnn.importing.standard_form import Theirs
from edgecnn_export.dataset import Dataset
from edgecnn_export.gate import Probabilities
from edgecnn_export.intervals import accuracy_change
from edgecnn_export.reference import least_skill
from edgecnn_runtime.errors import ExportError

_IMAGES_A_CLASS = 10
"""The fewest to tell by in which order the outputs are: of fewer, any order fits some."""


@dataclass(frozen=True, eq=False)
class Fit:
    """How a network does with pixels in a scale.

    Attributes:
        scale: the scale.
        answers: the label it gives to each image, shape (N,).
        labels: the right ones, shape (N,).
    """

    scale: PixelScale
    answers: npt.NDArray[np.int64]
    labels: npt.NDArray[np.int64]

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which images it knows, shape (N,)."""
        return np.equal(self.answers, self.labels)

    @property
    def accuracy(self) -> float:
        """Share of the images, 0 to 1."""
        return float(self.right.mean())


def tried(theirs: Theirs, images: Dataset, given: PixelScale | None, told: Callable[[int, int], None]) -> list[Fit]:
    """The network's answers in each of the usual scales and the one that was named, the best first.

    Of two that differ in the order of the colours alone, red comes first where the images do not tell them apart.

    Args:
        theirs: the network.
        images: labelled, and not those that a file is proved on.
        given: the scale that was named, if one was.
        told: how many of how many are measured.
    """
    named = {str(each): each for each in [*([given] if given else []), *usual(theirs.channels)]}
    fits = []
    for scale in named.values():
        answers = _answers(theirs.probabilities(images.images, scale))
        fits.append(Fit(scale, answers, images.labels))
        told(len(fits), len(named))
    best, *others = sorted(fits, key=lambda fit: -fit.accuracy)
    plain = [each for each in others if best.scale.bgr and each.scale.word == best.scale.word]
    if plain and not _is_worse(plain[0], best):
        others[others.index(plain[0])], best = best, plain[0]
    return [best, *others]


def require_fit(fit: Fit, fits: Iterable[Fit], images: Dataset) -> None:
    """Refuse a network that knows hardly any of the images, and say why that may be.

    Args:
        fit: in the scale that is to be taken.
        fits: in others that it may be.
        images: the images.

    Raises:
        ExportError: see above.
    """
    if fit.accuracy >= least_skill(images.labels):
        return
    ordered = [_reordered(each, len(images.label_names)) for each in fits]
    if best := max(filter(None, ordered), key=lambda each: each[0].accuracy, default=None):
        names = ", ".join(images.label_names[index] for index in best[1])
        raise ExportError(
            f"the model knows {best[0].accuracy:.1%} of {images.name} with pixels {best[0].scale} if its outputs stand "
            f"for the labels in another order; give that with --labels: {names}"
        )
    raise ExportError(
        f"with pixels {fit.scale} the model knows only {fit.accuracy:.1%} of {images.name}: its pixels were scaled "
        "otherwise (--pixels MEAN/DEVIATION), its outputs stand for the labels in another order (--labels), or it was "
        "trained on other pictures"
    )


def equally_good(fits: list[Fit]) -> list[Fit]:
    """Those after the first whose images do not tell whether they are worse."""
    best, *others = fits
    return [each for each in others if not _is_worse(each, best)]


def _is_worse(fit: Fit, than: Fit) -> bool:
    return accuracy_change(fit.right, than.right)[1][1] < 0


def _answers(probabilities: Probabilities) -> npt.NDArray[np.int64]:
    answers: npt.NDArray[np.int64] = np.nan_to_num(probabilities, nan=-1.0).argmax(-1)
    return answers


def _reordered(fit: Fit, classes: int) -> tuple[Fit, list[int]] | None:
    """The answers if each output stands for another label, those that fit most images, and those labels.

    None if the images are too few to tell by, or the network knows hardly any even so.
    """
    if len(fit.labels) < _IMAGES_A_CLASS * classes:
        return None
    counts = np.zeros((classes, classes), int)
    np.add.at(counts, (fit.answers, fit.labels), 1)
    order = [-1] * classes
    for pair in np.argsort(-counts, axis=None, kind="stable"):
        output, label = divmod(int(pair), classes)
        if order[output] < 0 and label not in order:
            order[output] = label
    made = Fit(fit.scale, np.array(order)[fit.answers], fit.labels)
    return None if made.accuracy < least_skill(fit.labels) else (made, order)
