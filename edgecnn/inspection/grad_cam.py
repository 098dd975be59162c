"""Grad-CAM: where the evidence for a class is.

Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based localization", 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgecnn.inspection.gradients import gradient
from edgecnn.inspection.layers import activations, as_batch

if TYPE_CHECKING:
    import keras

Values = npt.NDArray[np.float32]


def grad_cam(model: keras.Model, layer: keras.Layer, pixels: npt.NDArray[np.uint8], classes: Sequence[int]) -> Values:
    """A map for each class: the layer's maps, weighted by how much the class's score grows with each of them.

    The score is the one before softmax. What speaks against the class, below zero, is cut away.

    Args:
        model: gives probabilities for RGB pixels 0..255.
        layer: of it, with feature maps, which the score depends on.
        pixels: shape (height, width, 3).
        classes: indices of outputs.

    Returns:
        At least 0, shape (classes, rows, columns) of the layer's maps.
    """
    import keras

    (maps,) = activations(model, [layer], pixels)
    nothing = np.zeros((1, *maps.shape), np.float32)
    scores, added = _with_something_added(model, layer, nothing)

    def score_of(index: int) -> Any:
        def score(values: Any) -> Any:
            with keras.StatelessScope([(added, values)]):
                return scores(as_batch(pixels), training=False)[0, index]

        return score

    weights = [gradient(score_of(index), nothing)[0].mean((0, 1)) for index in classes]
    return np.asarray(np.maximum(np.einsum("hwc,nc->nhw", maps, weights), 0), np.float32)


def _with_something_added(model: keras.Model, layer: keras.Layer, nothing: Values) -> tuple[keras.Model, Any]:
    """The model up to the scores before softmax, with a variable that is added to the layer's output.

    The gradient with respect to it is the one with respect to that output, wherever in the graph it is, and an array
    of its own is what every backend has gradients for.
    """
    import keras

    class Addition(keras.layers.Layer):  # type: ignore[misc]
        def build(self, _: Any) -> None:
            self.added = self.add_weight(shape=nothing.shape, initializer="zeros", name="added")

        def call(self, inputs: Any) -> Any:
            return inputs + self.added

    # Names that no layer of the model has.
    addition, last = Addition(name="grad_cam_addition"), model.layers[-1]

    def call(operation: Any, *arguments: Any, **options: Any) -> Any:
        if operation is last:
            return _score(last, *arguments)
        output = operation(*arguments, **options)
        return addition(output) if operation is layer else output

    functional = keras.Model(model.inputs[0], model.outputs[0])
    return keras.models.clone_model(functional, clone_function=lambda each: each, call_function=call), addition.added


def _score(last: keras.Layer, inputs: Any) -> Any:
    """What the last layer takes the softmax of."""
    import keras

    if isinstance(last, keras.layers.Dense):
        linear = keras.layers.Dense(last.units, use_bias=last.use_bias, name="grad_cam_scores")
        scores = linear(inputs)
        linear.set_weights(last.get_weights())
        return scores
    return inputs if isinstance(last, keras.layers.Softmax) else last(inputs)
