"""What TFLM asks of a program: its operators' names, and an arena that is enough and hardly more."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edgecnn.training import keras_backend
from edgecnn_export import microcontroller, tflite
from edgecnn_export.microcontroller import needs
from edgecnn_runtime import container
from edgecnn_runtime.errors import ExportError

ROOT = Path(__file__).parents[2]

# The smallest arena that works in tflite-micro 0.dev20261023182759, by bisection (benchmarks/microcontroller.py).
MEASURED = {"tests/runtime/data/tiny-int8.tflite": 2_268, "edgecnn/models/edge-s-int8.tflite": 79_856}


@pytest.mark.parametrize("path", MEASURED)
def test_the_arena_is_enough_and_hardly_more(path: str) -> None:
    _, whole = container.read(ROOT / path)
    estimate = needs(whole[: container.parse(whole)[1]]).arena
    assert MEASURED[path] <= estimate <= MEASURED[path] + 1000
    assert estimate % 16 == 0


def graph(sizes: list[int], steps: list[tuple[list[int], list[int]]]) -> Any:
    """A graph of int8 tensors of these sizes; each step takes tensors and gives others."""
    return SimpleNamespace(
        tensors=[SimpleNamespace(shape=[size], type=9) for size in sizes],
        operators=[SimpleNamespace(inputs=given, outputs=wanted) for given, wanted in steps],
        inputs=[0],
        outputs=[len(sizes) - 1],
    )


def activations(each: Any) -> int:
    keras_backend.choose_tensorflow("tests")
    from tensorflow.lite.python import schema_py_generated as schema

    return microcontroller._activations(each, schema)


def test_a_tensor_lives_from_its_maker_to_its_last_reader() -> None:
    assert activations(graph([16, 32, 64, 16], [([0], [1]), ([1], [2]), ([2], [3])])) == 32 + 64
    assert activations(graph([16, 32, 64, 16], [([0], [1]), ([1], [2]), ([0, 2], [3])])) == 16 + 32 + 64


def test_sizes_are_rounded_up_and_types_have_widths() -> None:
    each = graph([1, 1], [([0], [1])])
    assert activations(each) == 2 * 16
    each.tensors[1] = SimpleNamespace(shape=[2, 5], type=2)  # int32
    assert activations(each) == 16 + 48


def test_what_does_not_fit_together_takes_more_than_what_lives_at_once() -> None:
    """Residual blocks of one size: three tensors live at once, and TFLM's planner needs room for four."""
    steps = [([0], [1])]
    for first in (1, 4, 7):
        steps += [([first], [first + 1]), ([first + 1], [first + 2]), ([first, first + 2], [first + 3])]
    steps.append(([10], [11]))
    assert activations(graph([16, *[1600] * 10, 16], steps)) == 4 * 1600


def test_an_operator_that_tflm_has_not_is_named() -> None:
    keras_backend.choose_tensorflow("tests")
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    pixels = keras.Input((8, 8, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="gelu")(pixels))
    model = keras.Model(pixels, layers.Dense(3, activation="softmax")(x))
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    images[0, 0, 0], images[0, 0, 1] = 0, 255
    with pytest.raises(ExportError, match="Microcontrollers has no GELU"):
        needs(tflite.convert(model, "int8", images))


def test_a_model_of_floats_is_no_model_for_c(baseline: Any) -> None:
    with pytest.raises(ExportError, match="input and output are 8-bit integers"):
        needs(tflite.convert(baseline, "fp32", None))
