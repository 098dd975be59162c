from __future__ import annotations

from typing import Any

import numpy as np
import pytest


def trained(keras: Any, model: Any, dtype: str) -> list[Any]:
    """All weights after a few steps of plain gradient descent on made-up feature maps."""
    import tensorflow as tf

    rng = np.random.default_rng(1)
    maps = [rng.normal(2, 3, (8, 5, 4, 6)).astype(np.float32) for _ in range(5)]
    target = rng.normal(size=(8, 5, 4, 3)).astype(np.float32)

    @tf.function  # type: ignore[untyped-decorator]
    def step(x: Any) -> None:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((tf.cast(model(x, training=True), tf.float32) - target) ** 2)
        for variable, gradient in zip(
            model.trainable_variables,
            tape.gradient(loss, [each.value for each in model.trainable_variables]),
            strict=True,
        ):
            variable.assign_sub(0.1 * gradient)

    for each in maps:
        step(tf.cast(each, dtype))
    return [np.asarray(each) for each in model.get_weights()]


@pytest.mark.parametrize("scale", [True, False])
@pytest.mark.parametrize(("dtype", "near"), [("float32", 1e-5), ("mixed_bfloat16", 0.03)])
def test_the_fused_layer_is_keras_own(keras: Any, dtype: str, near: float, scale: bool) -> None:
    """The same weights and moving averages to rounding, and the same answers outside training."""
    from edgecnn.training.batch_norm_tensorflow import FusedBatchNormalization, fuse

    def build() -> Any:
        keras.utils.set_random_seed(0)
        pixels = keras.Input((5, 4, 6))
        x = keras.layers.Conv2D(6, 1, use_bias=False, dtype=dtype)(pixels)
        x = keras.layers.BatchNormalization(scale=scale, center=scale, momentum=0.8, dtype=dtype)(x)
        return keras.Model(pixels, keras.layers.Conv2D(3, 1, dtype=dtype)(x))

    plain, fused = build(), build()
    fuse(fused)
    assert [type(layer) for layer in fused.layers].count(FusedBatchNormalization) == 1
    before = fused.get_weights()
    expected, got = trained(keras, plain, "float32"), trained(keras, fused, "float32")
    for value, other, old in zip(got, expected, before, strict=True):
        np.testing.assert_allclose(value, other, rtol=near, atol=near)
        assert np.abs(value - old).max() > 0.01
    maps = np.ones((2, 5, 4, 6), np.float32)
    answer, expected_answer = (np.asarray(model(maps)).astype(np.float32) for model in (fused, plain))
    np.testing.assert_allclose(answer, expected_answer, rtol=3 * near, atol=3 * near)


def test_a_keras_that_knows_no_renormalisation(keras: Any) -> None:
    """As Keras 3.12, the last for Python 3.10."""
    from edgecnn.training.batch_norm_tensorflow import fuse

    layer = keras.layers.BatchNormalization()
    fuse(keras.Sequential([keras.Input((4, 4, 3)), layer]))
    vars(layer).pop("renorm", None)
    assert layer._is_plain(np.zeros((1, 4, 4, 3)))
