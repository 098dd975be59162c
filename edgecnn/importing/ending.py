"""What comes out of a classifier: probabilities, logits, or one number for two classes."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecnn_runtime.errors import ExportError, first_line
from edgecnn_runtime.quiet import unwarned
from edgecnn_runtime.wording import counted

TOLERANCE = 1e-3
ROUGH_TOLERANCE = 0.05
"""Of probabilities, for a model that computed in 16 bits before."""

_OF_SHAPE = ("Flatten", "Reshape", "Dropout", "Identity", "Squeeze")
_MOST_NOISE = 3 * 512 * 512
_NOISE = 8
_SEED = 10


def _backwards(tensor: Any) -> Iterator[Any]:
    """The operations that lead to a tensor, the last first, while each has one input."""
    import keras

    while True:
        history = tensor._keras_history
        if isinstance(history.operation, keras.Model):
            yield from _backwards(history.operation.outputs[0])
        else:
            yield history.operation
        given = history.operation._inbound_nodes[history.node_index].input_tensors
        if len(given) != 1:
            return
        tensor = given[0]


def last(model: Any) -> Any:
    """The operation that gives a model's answers, but for their shape."""
    import keras

    for each in _backwards(model.outputs[0]):
        linear = getattr(each, "activation", None) is keras.activations.linear
        if type(each).__name__ not in _OF_SHAPE and not (isinstance(each, keras.layers.Activation) and linear):
            return each
    raise ExportError("the model has no layers")


def _is_sigmoid(operation: Any) -> bool:
    import keras

    return type(operation).__name__ == "Sigmoid" or getattr(operation, "activation", None) is keras.activations.sigmoid


def _is_of_sigmoids(tensor: Any) -> bool:
    """Whether a sigmoid comes before the tensor and after all that is learnt, or with the last of it."""
    for each in _backwards(tensor):
        if _is_sigmoid(each):
            return True
        if getattr(each, "weights", None):
            break
    return False


def ending(model: Any, shape: tuple[int, ...]) -> str:
    """``probabilities``, ``logits``, or for two classes a single ``logit`` or ``sigmoid``.

    Args:
        model: whatever it gives, shape (N, outputs).
        shape: of its input without N.

    Raises:
        ExportError: it is none of these, or the model does not run.
    """
    import keras

    final, count = last(model), model.outputs[0].shape[-1]
    activation = getattr(final, "activation", None) or keras.activations.linear
    given = _answers_to_noise(model, shape)
    if _is_sigmoid(final):
        if count == 1:
            return "sigmoid"
        raise ExportError(
            f"the model answers {counted(count, 'label')} each by itself (a sigmoid each), as for pictures that show "
            "several things; what is exported gives every picture one label"
        )
    tolerance = ROUGH_TOLERANCE if is_rough(model) else TOLERANCE
    if count > 1 and given.min() >= -tolerance and np.allclose(given.sum(-1), 1, atol=tolerance):
        return "probabilities"
    if activation not in (keras.activations.linear, keras.activations.log_softmax):
        raise ExportError(
            f"the model ends in {activation.__name__}, which gives no probabilities; expected a softmax, a sigmoid for "
            "two classes, or what comes before them"
        )
    if count == 1 and _is_of_sigmoids(model.outputs[0]):
        raise ExportError("the model makes one number of several sigmoids; expected a sigmoid or its logit at the end")
    return "logits" if count > 1 else "logit"


def _answers_to_noise(model: Any, shape: tuple[int, ...]) -> npt.NDArray[np.float64]:
    count = _NOISE if prod(shape) <= _MOST_NOISE else 2
    noise = np.random.default_rng(_SEED).random((count, *shape), np.float32)
    try:
        with unwarned:
            given = np.asarray(model(noise, training=False)).astype(np.float64)
    except Exception as problem:  # whatever the backend raises
        size = "x".join(map(str, shape))
        raise ExportError(f"the model does not run on pictures of {size} ({first_line(problem)})") from None
    if not np.isfinite(given).all():
        raise ExportError("the model gives no numbers (NaN): its training has diverged")
    return given


def is_rough(model: Any) -> bool:
    """Whether a layer computes in fewer bits than float32."""
    return any(layer.compute_dtype in ("float16", "bfloat16") for layer in model._flatten_layers())
