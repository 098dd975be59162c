from __future__ import annotations

import os
import subprocess
import sys

import pytest

from edgecnn.training import keras_backend

SCRIPT = "from edgecnn.training import keras_backend; print(keras_backend.describe(keras_backend.choose()))"


def test_a_missing_gpu_is_not_complained_of_at_any_log_level() -> None:
    environment = os.environ | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "2"}
    ended = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert " on TensorFlow " in ended.stdout


def test_what_files_are_compared_with_is_computed_in_all_bits() -> None:
    """There is no GPU here, which alone would compute otherwise: what is seen is that it is told not to."""
    import tensorflow as tf

    tf.config.experimental.enable_tensor_float_32_execution(True)
    keras_backend.choose_tensorflow("this test")
    assert not tf.config.experimental.tensor_float_32_execution_enabled()
    jax = pytest.importorskip("jax")
    before = jax.config.jax_default_matmul_precision
    try:
        keras_backend.exact("jax")
        assert jax.config.jax_default_matmul_precision == "highest"
    finally:
        jax.config.update("jax_default_matmul_precision", before)
