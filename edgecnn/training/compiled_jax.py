"""Many training steps in one compiled call, under JAX."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from edgecnn.training.plan import Plan, gather

if TYPE_CHECKING:
    import keras

    from edgecnn_export.dataset import Dataset


class CompiledSteps:
    """Runs training steps on images that stay on the device.

    The weights and the optimizer's state travel from call to call as donated buffers; ``synchronise`` copies them
    back into the Keras objects.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.Optimizer,
        data: Dataset,
        label_smoothing: float,
        augment: bool,
    ) -> None:
        import keras

        self._variables = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
        self._state: Any = None
        self._resident = (jax.device_put(data.images), jax.device_put(data.labels.astype(np.int32)))
        self._longest = 0
        # XLA's CPU compiler makes convolutions inside a loop tens of times slower than outside.
        self.loop_inside = jax.default_backend() != "cpu"
        loss_of = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
        classes = len(data.label_names)

        def loss_at(weights: Any, other: Any, pixels: Any, target: Any) -> tuple[Any, Any]:
            probabilities, other = model.stateless_call(weights, other, pixels, training=True)
            return loss_of(jax.nn.one_hot(target, classes), probabilities), (probabilities, other)

        @partial(jax.jit, donate_argnums=0)
        def step(carry: Any, resident: Any, order: Any, flip: Any, shift: Any) -> Any:
            (weights, other, moments), loss_sum, correct = carry
            images, labels = resident
            target = labels[order]
            pixels = gather(images, order, flip, shift, augment)
            (loss, (probabilities, other)), slope = jax.value_and_grad(loss_at, has_aux=True)(
                weights, other, pixels, target
            )
            weights, moments = optimizer.stateless_apply(moments, slope, weights)
            correct += (probabilities.argmax(-1) == target).sum()
            return (weights, other, moments), loss_sum + loss, correct

        @partial(jax.jit, donate_argnums=0)
        def steps(carry: Any, resident: Any, plan: Any, count: Any) -> Any:
            def body(index: Any, carry: Any) -> Any:
                return step(carry, resident, *(part[index] for part in plan))

            return jax.lax.fori_loop(0, count, body, carry)

        self._step, self._steps = step, steps

    def run(self, plan: Plan) -> tuple[float, float]:
        """Train on ``plan``; the sum of the steps' losses, and the number of images that were right."""
        if self._state is None:
            self._state = tuple([jax.numpy.copy(v.value) for v in group] for group in self._variables)
        carry = (self._state, jax.numpy.zeros(()), jax.numpy.zeros((), "int32"))
        if self.loop_inside:
            count = len(plan.order)
            self._longest = max(self._longest, count)
            padding = self._longest - count  # a shorter last call reuses the program compiled for the longest
            padded = [np.pad(part, [(0, padding)] + [(0, 0)] * (part.ndim - 1)) for part in plan]
            carry = self._steps(carry, self._resident, padded, count)
        else:
            for batch in zip(*plan, strict=True):
                carry = self._step(carry, self._resident, *batch)
        self._state, loss, correct = carry
        return float(loss), float(correct)

    def synchronise(self) -> None:
        """Bring model and optimizer up to date."""
        if self._state is None:
            return
        for group, values in zip(self._variables, self._state, strict=True):
            for variable, value in zip(group, values, strict=True):
                variable.assign(jax.numpy.copy(value))  # the next call gives the state's buffers away
