"""What training makes smaller, under any Keras backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

AUXILIARY = 0.3
"""Weight of an auxiliary classifier's loss (Szegedy et al., "Going Deeper with Convolutions", 2015, section 5)."""


def cross_entropy(label_smoothing: float) -> Callable[[Any, Any], tuple[Any, Any]]:
    """The mean cross-entropy of a batch, auxiliary classifiers included, and the main classifier's probabilities.

    The function that is returned takes one-hot labels, shape (N, classes), and a model's output, which is one such
    tensor of probabilities, or a list of them: the main classifier's and then the auxiliary ones'.
    """
    import keras

    loss_of = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)

    def loss(target: Any, outputs: Any) -> tuple[Any, Any]:
        main, *auxiliary = outputs if isinstance(outputs, list) else [outputs]
        return loss_of(target, main) + sum(AUXILIARY * loss_of(target, each) for each in auxiliary), main

    return loss


def blended(target: Any, answers: Any, share: float) -> Any:
    """Targets of which the teacher's answers make a ``share`` (Hinton et al., 2015); both of shape (N, classes)."""
    from keras import ops

    return (1 - share) * target + share * ops.cast(ops.stop_gradient(answers), target.dtype)
