"""Keras layers that round as an int8 file will.

What is rounded, and how, is what TensorFlow's converter does (Jacob et al., "Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference", 2018, section 3): kernels of convolutions a channel and of
dense layers as a whole, symmetrically; values between the layers as a whole, over the range that was seen. The gradient
passes through the rounding as if it were not there (Bengio et al., "Estimating or Propagating Gradients Through
Stochastic Neurons for Conditional Computation", 2013).
"""

from __future__ import annotations

from typing import Any

from keras import layers, ops

RANGE = ("low", "high")
"""Names of the weights that hold a range."""

_LEVELS = 255
_LARGEST = 127
_SMALLEST_STEP = 1e-9
_MOMENTUM = 0.99


def _through(rounded: Any, values: Any) -> Any:
    return values + ops.stop_gradient(rounded - values)


class _RoundedKernel:
    """The kernel is rounded when it is used; what learns is the exact one."""

    one_step_for: tuple[int, ...] | None = None

    @property
    def kernel(self) -> Any:
        return self._rounded(super().kernel)  # type: ignore[misc]

    def _rounded(self, exact: Any) -> Any:
        largest = ops.max(ops.abs(exact), axis=self.one_step_for, keepdims=True)
        step = ops.stop_gradient(ops.maximum(largest / _LARGEST, _SMALLEST_STEP))
        return _through(ops.round(exact / step) * step, exact)


class _RoundedOutput:
    """What the layer gives is rounded over the range that was seen, which always holds zero."""

    rounds_output = True

    def build(self: Any, input_shape: Any) -> None:
        super().build(input_shape)  # type: ignore[misc]
        if self.rounds_output:
            self.low, self.high = (
                self.add_weight(shape=(), initializer="zeros", trainable=False, name=name, dtype="float32")
                for name in RANGE
            )

    def call(self: Any, inputs: Any, training: bool | None = None) -> Any:
        values = super().call(inputs)  # type: ignore[misc]
        if not self.rounds_output:
            return values
        if training:
            self._see(ops.cast(ops.stop_gradient(values), "float32"))
        low, high = (ops.cast(each, values.dtype) for each in (self.low, self.high))
        step = ops.maximum((high - low) / _LEVELS, _SMALLEST_STEP)
        zero = ops.round(-low / step)
        inside = ops.clip(values, -zero * step, (_LEVELS - zero) * step)
        return _through(ops.round(inside / step) * step, inside)

    def _see(self: Any, values: Any) -> None:
        unseen = ops.equal(self.low, self.high)
        low, high = ops.minimum(ops.min(values), 0.0), ops.maximum(ops.max(values), 0.0)
        for seen, now in ((self.low, low), (self.high, high)):
            seen.assign(ops.where(unseen, now, _MOMENTUM * seen + (1 - _MOMENTUM) * now))


class _Conv2D(_RoundedOutput, _RoundedKernel, layers.Conv2D):  # type: ignore[misc]
    one_step_for = (0, 1, 2)


class _DepthwiseConv2D(_RoundedOutput, _RoundedKernel, layers.DepthwiseConv2D):  # type: ignore[misc]
    one_step_for = (0, 1)

    # Keras keeps this layer's kernel in a plain attribute, where that of the others is a property.
    @property
    def kernel(self) -> Any:
        return self._rounded(self._exact)

    @kernel.setter
    def kernel(self, exact: Any) -> None:
        self._exact = exact


class _Dense(_RoundedOutput, _RoundedKernel, layers.Dense):  # type: ignore[misc]
    pass


class Activation(_RoundedOutput, layers.Activation):  # type: ignore[misc]
    """An activation that is a step of its own."""


class _Add(_RoundedOutput, layers.Add):  # type: ignore[misc]
    pass


class _AveragePooling2D(_RoundedOutput, layers.AveragePooling2D):  # type: ignore[misc]
    pass


class _GlobalAveragePooling2D(_RoundedOutput, layers.GlobalAveragePooling2D):  # type: ignore[misc]
    pass


class _ReLU(_RoundedOutput, layers.ReLU):  # type: ignore[misc]
    pass


KERNELS = ("kernel", "depthwise_kernel")
"""Names of what a layer multiplies by."""

ROUNDING: dict[Any, Any] = {
    layers.Activation: Activation,
    layers.Add: _Add,
    layers.AveragePooling2D: _AveragePooling2D,
    layers.Conv2D: _Conv2D,
    layers.Dense: _Dense,
    layers.DepthwiseConv2D: _DepthwiseConv2D,
    layers.GlobalAveragePooling2D: _GlobalAveragePooling2D,
    layers.ReLU: _ReLU,
}
"""The layers that round, by the layers whose place they take. Others move values, or pick some, and round nothing."""
