"""The command on the real CIFAR-10."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.full
def test_one_epoch_of_the_lesson_learns(tmp_path: Path) -> None:
    out = tmp_path / "run"
    words = ["train", "baseline", "--recipe", "lesson", "--epochs", "1", "--out", str(out)]
    ended = subprocess.run(
        [sys.executable, "-m", "edgecnn", *words], capture_output=True, text=True, timeout=400, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    device, note, about, epoch, *_ = ended.stdout.splitlines()
    assert device.startswith("Keras ")
    assert "watches the test images" in note
    assert about.startswith("baseline: 226,390 parameters; recipe lesson: 1 epoch of 50,000 images, batches of 32")
    assert epoch.startswith("epoch 1/1  loss ")
    assert json.loads((out / "metrics.json").read_text())["test_accuracy"] >= 0.45
