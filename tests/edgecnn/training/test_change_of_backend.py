"""A run begun under one backend continues under the other."""

from __future__ import annotations

import csv
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from edgecnn.training import checkpoint
from edgecnn.training.recipe import DEFAULT
from edgecnn.training.train import CHECKPOINT, train
from edgecnn.zoo import find
from edgecnn_export import keras_file
from edgecnn_export.dataset import Dataset
from edgecnn_export.reference import predict

if TYPE_CHECKING:
    from tests.edgecnn.training.conftest import Start


@pytest.mark.usefixtures("keras")
def test_one_state_two_backends(start: Start, small: Dataset, watched: Dataset, tmp_path: Path) -> None:
    """Each goes on from the same epoch without the other being installed, and both get to the same place."""
    recipe = replace(DEFAULT, optimizer="muon", epochs=1, batch_size=50, validation="test")
    begun = tmp_path / "begun"
    begun.mkdir()
    train(find("baseline"), recipe, small, watched, begun)
    with np.load(begun / CHECKPOINT) as saved:
        about, arrays = json.loads(str(saved["about"])), {name: saved[name] for name in saved.files}
    about["recipe"]["epochs"] = 3  # the cosine stands at its end after one epoch, and starts again
    arrays["about"] = np.array(json.dumps(about))

    processes = {}
    for backend in ("tensorflow", "jax"):
        (tmp_path / backend).mkdir()
        np.savez(tmp_path / backend / CHECKPOINT, **arrays)
        arguments = ("train", "baseline", "--out", tmp_path / backend, "--resume")
        processes[backend] = start(*arguments, backend=backend, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    histories: dict[str, list[dict[str, float]]] = {}
    probabilities: dict[str, Any] = {}
    for backend, process in processes.items():
        out, complaint = process.communicate(timeout=300)
        assert (process.returncode, complaint) == (0, "")
        device, _, network, *epochs, accuracy, export = out.splitlines()
        assert f"on {'TensorFlow' if backend == 'tensorflow' else 'JAX'} " in device
        assert network.startswith("baseline: 226,390 parameters; recipe default: 3 epochs of 500 images")
        assert [line.split("  ")[0] for line in epochs] == ["epoch 2/3", "epoch 3/3"]  # a line each, no bar
        assert accuracy.startswith("test accuracy ")
        assert export.endswith(f"edgecnn export {tmp_path / backend} --int8")
        with (tmp_path / backend / "history.csv").open() as file:
            histories[backend] = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
        probabilities[backend] = predict(keras_file.load(tmp_path / backend / "model.keras")[0], watched.images)

    for one, other in zip(histories["tensorflow"], histories["jax"], strict=True):
        assert one["loss"] == pytest.approx(other["loss"], abs=1e-3)
        assert one["validation_loss"] == pytest.approx(other["validation_loss"], abs=1e-3)
        assert one["learning_rate"] == pytest.approx(other["learning_rate"], rel=1e-5)
    assert histories["jax"][2]["loss"] < histories["jax"][1]["loss"] < histories["jax"][0]["loss"]
    np.testing.assert_allclose(probabilities["tensorflow"], probabilities["jax"], atol=5e-3)
    assert checkpoint.peek(tmp_path / "jax" / CHECKPOINT)[2].epoch == 3
