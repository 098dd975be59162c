"""Many training steps in one compiled call, under TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from edgecnn.training.plan import Plan, gather

if TYPE_CHECKING:
    import keras

    from edgecnn_export.dataset import Dataset


class CompiledSteps:
    """Runs training steps on images that stay on the device.

    Plain ``fit`` enters the graph once a step and feeds float images from outside; here the loop over the steps is
    inside the graph and an image is a row of a resident uint8 array, which is what small networks spend their time
    on otherwise.
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

        images, labels = tf.constant(data.images), tf.constant(data.labels)
        loss_of = keras.losses.CategoricalCrossentropy(label_smoothing=label_smoothing)
        classes = len(data.label_names)
        weights = [variable.value for variable in model.trainable_variables]

        def step(order: Any, flip: Any, shift: Any) -> tuple[Any, Any]:
            pixels = gather(images, order, flip, shift, augment)
            target = tf.gather(labels, order)
            with tf.GradientTape() as tape:
                probabilities = model(pixels, training=True)
                loss = loss_of(tf.one_hot(target, classes), probabilities)
            optimizer.apply(tape.gradient(loss, weights), model.trainable_variables)
            correct = tf.reduce_sum(tf.cast(tf.argmax(probabilities, axis=-1) == target, tf.float32))
            return loss, correct

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[
                tf.TensorSpec((None, None), tf.int32),
                tf.TensorSpec((None, None), tf.bool),
                tf.TensorSpec((None, None, 2), tf.int32),
            ]
        )
        def steps(order: Any, flip: Any, shift: Any) -> tuple[Any, Any]:
            loss, correct = tf.constant(0.0), tf.constant(0.0)
            for index in tf.range(tf.shape(order)[0]):
                step_loss, step_correct = step(order[index], flip[index], shift[index])
                loss, correct = loss + step_loss, correct + step_correct
            return loss, correct

        self._steps = steps

    def run(self, plan: Plan) -> tuple[float, float]:
        """Train on ``plan``; the sum of the steps' losses, and the number of images that were right."""
        loss, correct = self._steps(*map(tf.convert_to_tensor, plan))
        return float(np.asarray(loss)), float(np.asarray(correct))

    def synchronise(self) -> None:
        """Bring model and optimizer up to date; TensorFlow's variables always are."""
