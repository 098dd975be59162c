"""The edge family: that every int8 file keeps to the size which its name promises."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edgecnn import zoo
from edgecnn.data import samples
from edgecnn.zoo.edge import EDGE
from edgecnn.zoo.layer_table import layer_table
from edgecnn.zoo.seeded import seeded
from edgecnn_export import tflite, tflite_metadata
from edgecnn_export.keras_file import About
from edgecnn_runtime.contract import InputSpec

PIXELS = samples.calibration().images[:40]
LABELS = samples.calibration().label_names

MOST = {"edge-xs": 100_000, "edge-s": 300_000, "edge-m": 1_000_000, "edge-l": 3_000_000, "edge-xl": 12_000_000}
"""Bytes of the int8 TFLite model without its contract."""


def test_every_size_has_its_limit() -> None:
    assert [network.name for network in EDGE] == list(MOST)


@pytest.mark.parametrize(
    "name", [name if name in ("edge-xs", "edge-s") else pytest.param(name, marks=pytest.mark.full) for name in MOST]
)
def test_an_int8_file_keeps_to_its_size(name: str, keras: Any) -> None:
    model = seeded(zoo.find(name), 10, PIXELS[:20])
    about = About(name, LABELS, InputSpec(32, 32), {"images": 50_000}, "a name of usual length", "Apache-2.0")
    size = len(tflite_metadata.add(tflite.convert(model, "int8", PIXELS), about, "int8"))
    assert 0.85 * MOST[name] < size <= MOST[name]


@pytest.mark.parametrize("network", EDGE, ids=lambda network: network.name)
def test_channels_fill_the_kernels_of_interpreters(network: zoo.Network, keras: Any) -> None:
    outline = network.outline(10)
    assert {layer.output_shape[-1] % 16 for layer in layer_table(outline) if len(layer.output_shape) == 3} <= {0, 3}


def test_a_shortcut_into_a_new_stage_uses_every_pixel(keras: Any) -> None:
    model = zoo.find("edge-xs").build(10)
    ends = keras.Model(model.get_layer("stage_1_2_relu").output, model.get_layer("stage_2_1_shortcut").output)
    before = np.zeros((1, 32, 32, 16), np.float32)
    plain = np.asarray(ends(before))
    for row in (0, 1):
        for column in (0, 1):
            changed = before.copy()
            changed[0, 10 + row, 20 + column] = 1
            different = np.abs(np.asarray(ends(changed)) - plain).max(-1)[0] > 0
            assert np.argwhere(different).tolist() == [[5, 10]]
