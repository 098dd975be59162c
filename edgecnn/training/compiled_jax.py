"""Many training steps in one compiled call, under JAX."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from edgecnn.training import augment
from edgecnn.training.devices import Devices
from edgecnn.training.loss import blended, cross_entropy
from edgecnn.training.plan import Plan, fetch, is_resident
from edgecnn.training.recipe import Recipe

if TYPE_CHECKING:
    import keras

    from edgecnn_export.dataset import Dataset


class CompiledSteps:
    """Runs training steps on images that stay on the device, or on each of several.

    The weights and the optimizer's state travel from call to call as donated buffers; ``synchronise`` copies them
    back into the Keras objects. On several devices the weights are whole and the batch is divided; XLA puts the sums
    over the batch together again, those of batch normalisation too, so that the step is the one of a single device.
    """

    def __init__(
        self,
        model: keras.Model,
        optimizer: keras.Optimizer,
        data: Dataset,
        recipe: Recipe,
        teacher: keras.Model | None = None,
        devices: Devices | None = None,
    ) -> None:
        self._variables = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
        self._state: Any = None
        self._devices = devices or Devices()
        self._images, self._labels = data.images, self._devices.place(data.labels.astype(np.int32))
        self._resident = self._devices.place(data.images) if is_resident(data.images) else None
        self._longest = 0
        # XLA's CPU compiler makes convolutions inside a loop tens of times slower than outside.
        self.loop_inside = jax.default_backend() != "cpu"
        loss_of = cross_entropy(recipe.label_smoothing)
        classes = len(data.label_names)
        self._knows = [self._devices.place(variable.value) for variable in teacher.variables] if teacher else []

        def taught(target: Any, knows: Any, pixels: Any) -> Any:
            if teacher is None:
                return target
            split = len(teacher.trainable_variables)
            answers, _ = teacher.stateless_call(knows[:split], knows[split:], pixels, training=False)
            return blended(target, answers, recipe.distillation)

        def loss_at(weights: Any, other: Any, pixels: Any, target: Any) -> tuple[Any, Any]:
            outputs, other = model.stateless_call(weights, other, pixels, training=True)
            loss, probabilities = loss_of(target, outputs)
            return loss, (probabilities, other)

        compiled = partial(jax.jit, donate_argnums=0, out_shardings=self._devices.layout())

        @compiled
        def step(carry: Any, source: Any, parts: Any, index: Any) -> Any:
            (weights, other, moments), loss_sum, correct = carry
            images, labels, knows = source
            places, drawn = jax.tree.map(lambda part: part[index], parts)
            pixels, target = augment.batch(images, labels, places, drawn, recipe, classes, model.input_shape[1:3])
            (loss, (probabilities, other)), slope = jax.value_and_grad(loss_at, has_aux=True)(
                weights, other, pixels, taught(target, knows, pixels)
            )
            weights, moments = optimizer.stateless_apply(moments, slope, weights)
            correct += (probabilities.argmax(-1) == labels[drawn.order]).sum()
            return (weights, other, moments), loss_sum + loss, correct

        @compiled
        def steps(carry: Any, source: Any, parts: Any, count: Any) -> Any:
            return jax.lax.fori_loop(0, count, lambda index, carry: step(carry, source, parts, index), carry)

        self._step, self._steps = step, steps

    def run(self, plan: Plan) -> tuple[float, float]:
        """Train on ``plan``; the sum of the steps' losses, and the number of images that were right."""
        place = self._devices.place
        if self._state is None:
            self._state = tuple([place(jax.numpy.copy(v.value)) for v in group] for group in self._variables)
        carry = (self._state, place(np.zeros((), np.float32)), place(np.zeros((), np.int32)))
        count = len(plan.order)
        # A shorter last call is filled up, so that it reuses the program compiled for the longest.
        self._longest = max(self._longest, count)
        images, places = (self._resident, plan.order) if self._resident is not None else self._fetched(plan)
        source = images, self._labels, self._knows
        parts = jax.tree.map(lambda part: place(_filled(part, self._longest), batch_axis=1), (places, plan))
        if self.loop_inside:
            carry = self._steps(carry, source, parts, count)
        else:
            for index in range(count):
                carry = self._step(carry, source, parts, index)
        self._state, loss, correct = carry
        return float(loss), float(correct)

    def _fetched(self, plan: Plan) -> tuple[Any, Any]:
        images, places = fetch(self._images, plan.order)
        return self._devices.place(_filled(images, self._longest * plan.order.shape[1])), places

    def synchronise(self) -> None:
        """Bring model and optimizer up to date."""
        if self._state is None:
            return
        for group, values in zip(self._variables, self._state, strict=True):
            for variable, value in zip(group, values, strict=True):
                # One device's copy, and a new one: the next call gives the state's buffers away.
                variable.assign(jax.numpy.copy(value.addressable_data(0)))


def _filled(array: Any, length: int) -> Any:
    """The array with zeros after it, up to ``length`` rows."""
    return np.pad(array, [(0, length - len(array))] + [(0, 0)] * (array.ndim - 1))
