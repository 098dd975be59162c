"""Several devices compute the step of one; here they are parts of a CPU, on a GPU computer they are GPUs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgecnn.cli.main import run
from edgecnn.data import cifar10, samples
from edgecnn.data.cifar10 import Cifar10
from edgecnn.training.devices import Devices
from edgecnn_runtime.errors import TrainingError

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Start

SCRIPT = """
import os
os.environ |= {"KERAS_BACKEND": "jax", "XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
from dataclasses import replace
import jax, keras
import numpy as np
from edgecnn.data import samples
from edgecnn.training import plan, recipe
from edgecnn.training.compiled_jax import CompiledSteps
from edgecnn.training.devices import Devices
from edgecnn.zoo import find

data = samples.calibration()
asked = replace(
    recipe.DEFAULT, batch_size=20, cropped=1.0, cutout=8, cutmix=0.5, teacher="made here", distillation=0.5
)
drawn = plan.draw(asked, len(data), 0)

def network(filters, seed):
    keras.utils.set_random_seed(seed)
    pixels = keras.Input((24, 24, 3))
    x = keras.layers.Conv2D(filters, 5, strides=4, use_bias=False)(keras.layers.Rescaling(1 / 255)(pixels))
    x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
    x = keras.layers.Dropout(0.3, seed=1)(keras.layers.GlobalAveragePooling2D()(x))
    return keras.Model(pixels, keras.layers.Dense(10, activation="softmax")(x))

def trained(count, loop_inside, resident=True):
    plan.RESIDENT_BYTES = 2**31 if resident else 0
    model, teacher, devices = network(8, 0), network(4, 1), Devices(count)
    devices.join("jax")
    teacher.trainable = False
    optimizer = keras.optimizers.Adam(1e-3, use_ema=True, ema_momentum=0.9)
    optimizer.build(model.trainable_variables)
    compiled = CompiledSteps(model, optimizer, data, asked, teacher, devices)
    compiled.loop_inside = loop_inside
    results = [compiled.run(drawn.steps(0, 4)), compiled.run(drawn.steps(4, 7))]
    for state in jax.tree.leaves(compiled._state):
        assert len(state.sharding.device_set) == count and state.is_fully_replicated
    compiled.synchronise()
    return np.array(results), [np.asarray(v) for v in model.variables + optimizer.variables]

assert jax.device_count() == 2
expected, expected_state = trained(1, False)
for loop_inside, resident in ((False, True), (True, True), (True, False)):
    results, state = trained(2, loop_inside, resident)
    np.testing.assert_allclose(results, expected, rtol=1e-5)
    for one, other in zip(expected_state, state, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-4, atol=2e-5)
"""
"""Batch normalisation, dropout, windows, CutMix across the border of the devices, a teacher, averaged weights."""


def test_two_devices_are_one() -> None:
    ended = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr


KERAS = {
    "KERAS_DISTRIBUTION_JOB_ADDRESSES": "127.0.0.1:9",
    "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
    "KERAS_DISTRIBUTION_PROCESS_ID": "0",
}


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (["--devices", "0"], {}, "Invalid value for '--devices': 0 is not in the range x>=1."),
        (
            ["--devices", "3"],
            {},
            "a batch of 128 images cannot be divided among 3 devices; take another number of devices, or for a new run "
            "--batch-size 126",
        ),
        (
            ["--devices", "2", "--batch-size", "2"],
            KERAS,
            "a batch of 2 images cannot be divided among 4 devices; take another number of devices, or for a new run "
            "--batch-size 4",
        ),
        (
            [],
            {"KERAS_DISTRIBUTION_PROCESS_ID": "1"},
            "KERAS_DISTRIBUTION_JOB_ADDRESSES and KERAS_DISTRIBUTION_NUM_PROCESSES must be set too: "
            "a run of several processes needs the three KERAS_DISTRIBUTION_*",
        ),
        (
            [],
            KERAS | {"KERAS_DISTRIBUTION_PROCESS_ID": "2"},
            "KERAS_DISTRIBUTION_PROCESS_ID must be a number from 0 and below KERAS_DISTRIBUTION_NUM_PROCESSES, "
            "got 2 of 2",
        ),
        (
            [],
            KERAS | {"KERAS_DISTRIBUTION_NUM_PROCESSES": "two"},
            "KERAS_DISTRIBUTION_PROCESS_ID must be a number from 0 and below KERAS_DISTRIBUTION_NUM_PROCESSES, "
            "got 0 of two",
        ),
    ],
    ids=str,
)
def test_wrong_usage(
    arguments: list[str],
    variables: dict[str, str],
    message: str,
    here: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert run(["train", "baseline", "--batch-size", "128", *arguments]) == 2
    assert capsys.readouterr().err == f"error: {message}\n"
    assert not list(here.iterdir())


@pytest.mark.usefixtures("keras")
def test_tensorflow_has_one_device(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cifar10, "load", lambda folder: Cifar10(samples.calibration(), samples.test()))
    assert run(["train", "baseline", "--full", "--devices", "2", "--out", "run"]) == 2
    expected = "error: several devices or processes train under JAX: set KERAS_BACKEND=jax\n"
    assert capsys.readouterr().err == expected
    assert not list(here.iterdir())


def test_too_few_devices(start: Start, tmp_path: Path) -> None:
    process = start("train", "baseline", "--full", "--devices", "2", backend="jax", stderr=subprocess.PIPE)
    _, complaint = process.communicate(timeout=300)
    assert process.returncode == 2
    assert complaint == (
        "error: --devices 2, but JAX finds 1 (CPU); XLA_FLAGS=--xla_force_host_platform_device_count=2 divides a CPU\n"
    )
    assert not list((tmp_path / "runs").iterdir())


def test_one_device_is_nothing_special() -> None:
    alone = Devices()
    alone.join("tensorflow")
    alone.divide(7)
    alone.agree(["anything"], [])
    alone.leave()
    assert alone.first
    assert not alone.told
    assert alone.any(True)
    assert not alone.any(False)
    with pytest.raises(ValueError, match="as it was"), alone.together():
        raise ValueError("as it was")


def test_too_little_memory_is_no_lost_process() -> None:
    several = Devices(1, 0, 2)
    with pytest.raises(RuntimeError, match=r"^RESOURCE_EXHAUSTED: Out of memory"), several.together():
        raise RuntimeError("RESOURCE_EXHAUSTED: Out of memory")
    with pytest.raises(TrainingError, match="process 0 of 2 has lost another one"), several.together():
        raise RuntimeError("Connection closed by peer")


def test_the_page_names_every_variable() -> None:
    root = Path(__file__).parents[3]
    page = (root / "docs" / "scaling.md").read_text()
    assert not [name for name in KERAS if f"| `{name}` |" not in page]
    assert "(docs/scaling.md)" in (root / "README.md").read_text()
