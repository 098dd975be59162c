"""Many training steps in one compiled call, under TensorFlow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from edgecnn.training import augment
from edgecnn.training.batch_norm_tensorflow import fuse
from edgecnn.training.loss import blended, cross_entropy
from edgecnn.training.plan import Plan, fetch, is_resident
from edgecnn.training.recipe import Recipe

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
        recipe: Recipe,
        teacher: keras.Model | None = None,
    ) -> None:
        self._images = data.images
        self._resident = tf.constant(data.images) if is_resident(data.images) else None
        labels, classes = tf.constant(data.labels), len(data.label_names)
        loss_of = cross_entropy(recipe.label_smoothing)
        size = model.input_shape[1:3]
        fuse(model)
        weights = [variable.value for variable in model.trainable_variables]

        def step(images: Any, places: Any, drawn: Plan) -> tuple[Any, Any]:
            pixels, target = augment.batch(images, labels, places, drawn, recipe, classes, size)
            if teacher is not None:
                target = blended(target, teacher(pixels, training=False), recipe.distillation)
            with tf.GradientTape() as tape:
                loss, probabilities = loss_of(target, model(pixels, training=True))
            optimizer.apply(tape.gradient(loss, weights), model.trainable_variables)
            right = tf.argmax(probabilities, axis=-1) == tf.gather(labels, drawn.order)
            correct = tf.reduce_sum(tf.cast(right, tf.float32))
            return loss, correct

        @tf.function(  # type: ignore[untyped-decorator]
            input_signature=[
                tf.TensorSpec((None, *data.images.shape[1:]), tf.uint8),
                tf.TensorSpec((None, None), tf.int32),
                Plan(
                    order=tf.TensorSpec((None, None), tf.int32),
                    flip=tf.TensorSpec((None, None), tf.bool),
                    shift=tf.TensorSpec((None, None, 2), tf.int32),
                    hole=tf.TensorSpec((None, None, 2), tf.float32),
                    paste=tf.TensorSpec((None, None, 3), tf.float32),
                    corner=tf.TensorSpec((None, None, 2), tf.float32),
                ),
            ]
        )
        def steps(images: Any, places: Any, plan: Plan) -> tuple[Any, Any]:
            loss, correct = tf.constant(0.0), tf.constant(0.0)
            for index in tf.range(tf.shape(places)[0]):
                step_loss, step_correct = step(images, places[index], Plan._make(part[index] for part in plan))
                loss, correct = loss + step_loss, correct + step_correct
            return loss, correct

        self._steps = steps

    def run(self, plan: Plan) -> tuple[float, float]:
        """Train on ``plan``; the sum of the steps' losses, and the number of images that were right."""
        if self._resident is not None:
            images, places = self._resident, plan.order
        else:
            images, places = fetch(self._images, plan.order)
        loss, correct = self._steps(images, *tf.nest.map_structure(tf.convert_to_tensor, (places, plan)))
        return float(np.asarray(loss)), float(np.asarray(correct))

    def synchronise(self) -> None:
        """Bring model and optimizer up to date; TensorFlow's variables always are."""
