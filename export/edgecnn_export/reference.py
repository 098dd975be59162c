"""The Keras model's own answers, which those of exported files are compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn_export.dataset import Dataset, Images, Labels, batches
from edgecnn_export.gate import Probabilities
from edgecnn_runtime.errors import ExportError, ParityError
from edgecnn_runtime.quiet import unwarned
from edgecnn_runtime.wording import counted

if TYPE_CHECKING:
    import keras

_ROUNDING = 1e-3


def predict(model: keras.Model, images: Images) -> Probabilities:
    """A Keras model's outputs, float32, shape (N, classes), for uint8 images, shape (N, height, width, 3)."""
    # Not the whole array at once: it may be mapped from a file that is larger than the memory.
    with unwarned:  # Keras has much to say of odd models
        answers = [model.predict_on_batch(each) for each in batches(images)]
    return np.concatenate([np.asarray(each, np.float32) for each in answers])


def reference_scores(model: keras.Model, data: Dataset) -> Probabilities:
    """The Keras model's probabilities, float32, shape (N, classes).

    Raises:
        ExportError: the model does not take one such image and nothing else, or its outputs are not probabilities.
    """
    shape = data.images.shape[1:]
    inputs, outputs = (getattr(model, ends, None) or () for ends in ("inputs", "outputs"))
    given, wanted = (getattr(model, end, None) for end in ("input", "output"))
    if not inputs:
        raise ExportError(f"{model.name} has no input yet; give it one (keras.Input) before it is saved")
    if len(inputs) != 1 or len(outputs) != 1 or isinstance(wanted, dict):
        raise ExportError(
            f"{model.name} has {_told(given, len(inputs), 'input')} and "
            f"{_told(wanted, len(outputs), 'output')}; expected a picture in and the probabilities out"
        )
    if tuple(model.input_shape[1:]) != shape:
        raise ExportError(f"{model.name} takes {model.input_shape[1:]} and not {shape}, as its input is said to be")
    scores = predict(model, data.images)
    if not np.isfinite(scores).all():
        raise ExportError(f"{model.name} gives no numbers (NaN): its training has diverged; train it at a lower rate")
    if scores.shape != (len(data), len(data.label_names)) or not _are_shares(scores):
        raise ExportError(
            f"{model.name} does not give one probability for each of {len(data.label_names)} labels; "
            "its last layer must be a softmax"
        )
    return scores


def _told(end: Any, count: int, name: str) -> str:
    return counted(count, name) + (" by name" if isinstance(end, dict) else "")


def _are_shares(scores: Probabilities) -> bool:
    return bool(scores.min() >= -_ROUNDING and np.allclose(scores.sum(-1), 1, atol=_ROUNDING))


def require_skill(reference: Probabilities, data: Dataset) -> float | None:
    """The reference's accuracy, 0 to 1 (None where the labels are not known), if it is good enough to compare with.

    A network that guesses agrees with any copy of itself that guesses the same way, so a comparison with it proves
    nothing. It must get at least an eighth of the way from chance to perfect. Without labels its answers must at
    least vary: a file that always gives the most frequent of them may not agree on more than half of the images.

    Args:
        reference: the Keras model's probabilities, shape (N, classes).
        data: the N images.

    Raises:
        ParityError: it does not.
    """
    if not data.labelled:
        most = int(np.bincount(reference.argmax(-1)).argmax())
        share = float((reference.argmax(-1) == most).mean())
        if share > 0.5:
            raise ParityError(
                f"the Keras model answers {data.label_names[most]!r} to {share:.0%} of {data.name}; agreement with it "
                "proves nothing above 50%: take more varied pictures"
            )
        return None
    accuracy = float((reference.argmax(-1) == data.labels).mean())
    chance = _chance(data.labels)
    if chance == 1:
        raise ParityError(f"{data.name} is all of one class; agreement on it proves nothing: take images of several")
    if accuracy < (lowest := least_skill(data.labels)):
        raise ParityError(
            f"the Keras model gets only {accuracy:.1%} of {data.name} right, where always giving one label gets "
            f"{chance:.1%}; agreement with it proves nothing below {lowest:.1%}: train it first"
        )
    return accuracy


def least_skill(labels: Labels) -> float:
    """The accuracy, 0 to 1, below which a network does hardly better on such images than always giving one label."""
    return _chance(labels) + (1 - _chance(labels)) / 8


def _chance(labels: Labels) -> float:
    return float(np.bincount(labels).max() / len(labels))
