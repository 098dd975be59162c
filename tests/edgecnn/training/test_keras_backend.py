from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize("framework", ["tensorflow", "jax"])
def test_the_users_settings_of_keras_do_not_change_a_network(framework: str, tmp_path: Path) -> None:
    (tmp_path / "keras.json").write_text('{"image_data_format": "channels_first", "floatx": "float64"}')
    environment = os.environ | {"KERAS_BACKEND": framework, "KERAS_HOME": str(tmp_path)}
    script = (
        "from edgecnn.training import keras_backend; keras_backend.choose(); from edgecnn.zoo import find; "
        "model = find('resnet8').build(10); print(model.count_params(), model.weights[0].dtype)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "78666 float32\n")


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
