"""Which Keras backend trains, and on what."""

from __future__ import annotations

import importlib
import os
from functools import partial
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from edgecnn_export.interruptible import interruptible
from edgecnn_runtime.errors import TrainingError
from edgecnn_runtime.quiet import quiet
from edgecnn_runtime.threads import cores

if TYPE_CHECKING:
    from edgecnn.training.devices import Devices
    from edgecnn.training.recipe import Optimizer


def available() -> list[str]:
    """The backends that are installed, the usual one first. Nothing is imported.

    Raises:
        TrainingError: Keras is not, or none of them.
    """
    installed = [name for name in ("tensorflow", "jax") if find_spec(name)]
    if not (find_spec("keras") and installed):
        raise TrainingError('this needs Keras; install it with: pip install "edgecnn[train]"')
    return installed


def choose() -> str:
    """Settle the backend before Keras is first imported: ``KERAS_BACKEND``, else TensorFlow, else JAX.

    Raises:
        TrainingError: Keras or the backend is not installed, or is not one of the two.
    """
    installed = available()
    backend = os.environ.setdefault("KERAS_BACKEND", installed[0])
    if backend not in installed:
        raise TrainingError(
            f"KERAS_BACKEND is {backend!r}, which is not installed or not supported; here: {', '.join(installed)}"
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # oneDNN and CUDA notices, not errors
    # TensorFlow turns oneDNN on by itself only on CPUs with AVX-512 or AMX; on AVX2 it doubles the speed too.
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    # TensorFlow writes of missing GPUs before it looks at its log level, and when it looks for them.
    with quiet(), interruptible():
        keras = importlib.import_module("keras")
        # Not as the user's keras.json may have it: every network here is made for these.
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")
        if backend == "tensorflow":
            importlib.import_module("tensorflow").config.list_physical_devices()
    return backend


def choose_tensorflow(purpose: str) -> None:
    """Settle on TensorFlow, which the converters need, whatever trained the model.

    Raises:
        TrainingError: it is not installed.
    """
    if not find_spec("tensorflow"):
        raise TrainingError(f'{purpose} needs TensorFlow; install it with: pip install "edgecnn[export]"')
    os.environ["KERAS_BACKEND"] = "tensorflow"
    exact(choose())


def exact(backend: str) -> None:
    """Compute in all of float32's bits from now on: what files are compared with must not be rounded itself.

    On recent GPUs both backends multiply with the ten bits of TensorFloat-32 otherwise, which is good enough to train.
    """
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)
    else:
        import jax

        jax.config.update("jax_default_matmul_precision", "highest")


def compiled_steps(backend: str, devices: Devices) -> Any:
    """The class that runs training steps under that backend, on those devices."""
    if backend == "tensorflow":
        from edgecnn.training import compiled_tensorflow

        return compiled_tensorflow.CompiledSteps
    from edgecnn.training import compiled_jax

    return partial(compiled_jax.CompiledSteps, devices=devices)


def optimizer(backend: str, name: Optimizer) -> Any:
    """The fastest class of that optimizer under that backend; all have the same variables."""
    import keras

    adam = keras.optimizers.Adam
    if backend == "tensorflow":
        from edgecnn.training.adam_tensorflow import FusedAdam

        adam = FusedAdam
    if name == "adam":
        return adam
    from edgecnn.training.muon import muon

    return muon(adam)


def on_gpu(backend: str) -> bool:
    """Whether the backend sees a GPU, which it then uses."""
    if backend == "tensorflow":
        import tensorflow as tf

        return bool(tf.config.list_physical_devices("GPU"))
    import jax

    return bool(jax.default_backend() != "cpu")


def describe(backend: str) -> str:
    """Backend, version and device in a few words, for people."""
    import keras

    if backend == "tensorflow":
        import tensorflow as tf

        gpus = [tf.config.experimental.get_device_details(g) for g in tf.config.list_physical_devices("GPU")]
        names, version = [gpu.get("device_name", "GPU") for gpu in gpus], f"TensorFlow {tf.__version__}"
    else:
        import jax

        names = [device.device_kind for device in jax.devices() if device.platform != "cpu"]
        version = f"JAX {jax.__version__}"
    device = f"GPU {names[0]}" if names else f"CPU, {cores()} cores"
    return f"Keras {keras.__version__} on {version}, {device}"
