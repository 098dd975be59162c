"""Muon: steps of about equal size in every direction in which a convolution's gradients point.

Jordan, "Muon: An optimizer for hidden layers in neural networks", 2024. Keras has it for matrices alone.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

MOMENTUM = 0.95
"""Nesterov's, of the gradients."""

SIZE = 0.2
"""Root mean square of a step in units of the learning rate, as Adam's is: Liu et al., "Muon is scalable for LLM
training", 2025, section 2.2. One learning rate and one weight decay serve both."""

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)
_ITERATIONS = (2, 3)
"""In the first round and the second."""


def muon(adam: Any) -> Any:
    """The optimizer's class: for the filters of convolutions Muon, for all else ``adam``, whose variables it has.

    Depthwise filters are among all else.
    """

    class Muon(adam):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            """Update one variable and its momentum."""
            if len(variable.shape) != 4 or variable.shape[-1] == 1:  # a depthwise convolution's have one direction
                super().update_step(gradient, variable, learning_rate)
                return
            momentum = self._momentums[self._get_variable_index(variable)]
            self.assign(momentum, MOMENTUM * momentum + gradient)
            matrix = ops.reshape(gradient + MOMENTUM * momentum, (-1, variable.shape[-1]))
            size = SIZE * math.sqrt(max(matrix.shape))
            step = ops.cast(learning_rate, variable.dtype) * size * orthogonal(matrix)
            self.assign_sub(variable, ops.reshape(step, variable.shape))

    return Muon


def orthogonal(matrix: Any) -> Any:
    """Roughly the nearest matrix with singular values of 1.

    Newton and Schulz's iteration with Jordan's coefficients, which rise fastest from zero: singular values above 0.002
    of the Frobenius norm end between 0.68 and 1.2, smaller ones grow 485-fold at most.

    A step multiplies by a polynomial of the columns' products, so a round gathers its polynomials and works on those
    products alone, which are far smaller than the matrix. The second round takes them anew, before what rounding made
    of directions that are hardly there has grown (Zhang, Amsel, Chen and Dao, "Gram Newton-Schulz", 2026).

    Args:
        matrix: shape (rows, columns).
    """
    if matrix.shape[0] < matrix.shape[1]:
        return ops.transpose(orthogonal(ops.transpose(matrix)))
    first, third, fifth = _COEFFICIENTS
    identity = ops.eye(matrix.shape[1], dtype=matrix.dtype)
    matrix = matrix / (ops.norm(matrix) + keras.config.epsilon())
    for iterations in _ITERATIONS:
        gram, gathered = ops.matmul(ops.transpose(matrix), matrix), None
        for iteration in range(iterations):
            polynomial = first * identity + ops.matmul(gram, third * identity + fifth * gram)
            gathered = ops.matmul(gathered, polynomial) if iteration else polynomial
            if iteration < iterations - 1:
                gram = ops.matmul(ops.matmul(polynomial, gram), polynomial)
        matrix = ops.matmul(matrix, gathered)
    return matrix
