"""Batch normalisation as one operation, under TensorFlow.

Keras writes it as a dozen operations, each of which reads and writes a whole feature map. For a residual network that
is a third of a training step on a CPU.
"""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Keras's batch normalisation to rounding, with the same variables (Ioffe and Szegedy, 2015, algorithm 1)."""

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Normalise feature maps, shape (N, height, width, channels)."""
        if not (training and self.trainable and self._is_plain(inputs)) or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        channels = inputs.shape[-1]
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=tf.convert_to_tensor(self.gamma) if self.scale else tf.ones([channels]),
            offset=tf.convert_to_tensor(self.beta) if self.center else tf.zeros([channels]),
            mean=tf.zeros([0]),
            variance=tf.zeros([0]),
            epsilon=self.epsilon,
            is_training=True,
        )
        values = tf.cast(tf.size(inputs) // channels, tf.float32)
        biased = variance * (values - 1) / values  # the operation gives the estimate of the population's
        for moving, batch in ((self.moving_mean, mean), (self.moving_variance, biased)):
            moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        return outputs

    def _is_plain(self, inputs: Any) -> bool:
        # Keras before 3.14, the last for Python 3.10, knows no renormalisation.
        other = getattr(self, "renorm", False) or self.synchronized
        return len(inputs.shape) == 4 and self.axis in (-1, 3) and not other


def fuse(model: keras.Model) -> None:
    """Let the batch normalisation layers of ``model`` train by the one operation.

    Only the method is another, so the layers change class in place: a copy of the model would need new weights.
    """
    for layer in model.layers:
        if type(layer) is keras.layers.BatchNormalization:
            layer.__class__ = FusedBatchNormalization
