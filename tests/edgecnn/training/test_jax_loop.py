"""The loop that GPUs run inside one compiled call, run here on the CPU, with resident images and with others."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os
os.environ["KERAS_BACKEND"] = "jax"
from dataclasses import replace
import keras
import numpy as np
from edgecnn.data import samples
from edgecnn.training import plan, recipe
from edgecnn.training.compiled_jax import CompiledSteps
from edgecnn.zoo import find

data = samples.calibration()
asked = replace(recipe.DEFAULT, batch_size=20, cutout=8, cutmix=0.5)
drawn = plan.draw(asked, len(data), 0)

def trained(loop_inside, resident):
    plan.RESIDENT_BYTES = 2**31 if resident else 0
    keras.utils.set_random_seed(0)
    model = find("baseline").build(10)
    optimizer = keras.optimizers.Adam(1e-3)
    optimizer.build(model.trainable_variables)
    compiled = CompiledSteps(model, optimizer, data, asked)
    compiled.loop_inside = loop_inside
    results = [compiled.run(drawn.steps(0, 4)), compiled.run(drawn.steps(4, 7))]
    compiled.synchronise()
    assert int(optimizer.iterations) == 7
    return np.array(results), model.get_weights()

expected, expected_weights = trained(False, True)
for loop_inside, resident in ((True, True), (True, False), (False, False)):
    results, weights = trained(loop_inside, resident)
    np.testing.assert_allclose(results, expected, rtol=1e-4)
    for weight, value in zip(weights, expected_weights):
        np.testing.assert_allclose(weight, value, atol=2e-4)
"""


def test_a_loop_inside_the_program_and_images_from_outside_are_the_same_training() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
