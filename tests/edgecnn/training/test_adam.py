from __future__ import annotations

from typing import Any

import numpy as np
import pytest


@pytest.mark.parametrize("weight_decay", [None, 0.05])
def test_the_fused_adam_is_keras_own(keras: Any, weight_decay: float | None) -> None:
    """The same steps to rounding, in the same variables, on a schedule, as a checkpoint needs it."""
    import tensorflow as tf

    from edgecnn.training.adam_tensorflow import FusedAdam

    rng = np.random.default_rng(0)
    start = [rng.normal(size=shape).astype(np.float32) for shape in ((7, 3), (5,), ())]
    gradients = [[rng.normal(size=each.shape).astype(np.float32) for each in start] for _ in range(20)]

    def trained(kind: Any) -> tuple[list[Any], list[Any], list[str]]:
        weights = [keras.Variable(each, name=f"w{index}") for index, each in enumerate(start)]
        rate = keras.optimizers.schedules.CosineDecay(0.0, 15, warmup_target=0.1, warmup_steps=5)
        optimizer = kind(rate, weight_decay=weight_decay)
        optimizer.build(weights)
        step = tf.function(lambda each: optimizer.apply(each, weights))
        for each in gradients:
            step([tf.constant(gradient) for gradient in each])
        names = [variable.path.partition("/")[2] for variable in optimizer.variables]
        return [np.asarray(each) for each in weights], [np.asarray(each) for each in optimizer.variables], names

    weights, state, names = trained(FusedAdam)
    expected_weights, expected_state, expected_names = trained(keras.optimizers.Adam)
    assert names == expected_names
    for value, expected in zip(weights + state, expected_weights + expected_state, strict=True):
        np.testing.assert_allclose(value, expected, rtol=2e-5, atol=1e-6)
    assert np.abs(weights[0] - start[0]).max() > 0.1
