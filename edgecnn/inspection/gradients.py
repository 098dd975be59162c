"""The one thing that Keras leaves to its backends: a gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float32]


def gradient(function: Callable[[Any], Any], at: Values) -> Values:
    """How a function of one array, whose value is one number, changes with each of the array's values.

    Returns:
        Shape of ``at``.
    """
    import keras

    if keras.backend.backend() == "jax":
        import jax

        return np.asarray(jax.grad(function)(at), np.float32)
    import tensorflow as tf

    place = tf.constant(at)
    with tf.GradientTape() as tape:
        tape.watch(place)
        value = function(place)
    return np.asarray(tape.gradient(value, place), np.float32)
