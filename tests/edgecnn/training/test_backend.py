from __future__ import annotations

import os
import subprocess
import sys

SCRIPT = "from edgecnn.training import backend; print(backend.describe(backend.choose()))"


def test_a_missing_gpu_is_not_complained_of_at_any_log_level() -> None:
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert " on TensorFlow " in ended.stdout
