"""SavedModels and ``.keras`` files opened anew from the disk, for the comparison with the model they were made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgecnn_export import keras_file
from edgecnn_export.dataset import Images, batches
from edgecnn_runtime.quiet import quiet
from edgecnn_runtime.signature import Signature, Tensor

PROGRAMS = {"savedmodel": "tensorflow", "keras": "keras"}
"""What opens files of a format. It is no interpreter for a device, so the runtime does not know of it."""


class Reloaded:
    """One model in the program that it is for; a :class:`edgecnn_runtime.backends.Backend`."""

    def __init__(self, path: Path, program: str) -> None:
        """Load the model, on one thread.

        Raises:
            ExportError: Keras cannot load it.
        """
        with quiet():  # TensorFlow writes of missing GPUs
            import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        if program == "keras":
            import keras

            model, _ = keras_file.load(path)
            self.name = f"keras {keras.__version__}"
            self._answer = model.predict_on_batch
            # Nothing calls a Keras model's only input or output by its name.
            given, wanted = _tensor(model.inputs[0]), _tensor(model.outputs[0])
            self.signature = Signature(given._replace(name="pixels"), wanted._replace(name="probabilities"))
        else:
            loaded = tf.saved_model.load(str(path))
            self.name = f"tensorflow {tf.__version__}"
            serve = loaded.signatures["serving_default"]
            self._answer = lambda pixels: serve(pixels=pixels)["probabilities"]
            ((name, given),) = serve.structured_input_signature[1].items()
            ((wanted_name, wanted),) = serve.structured_outputs.items()
            self.signature = Signature(_tensor(given)._replace(name=name), _tensor(wanted)._replace(name=wanted_name))

    def scores(self, pixels: Images) -> npt.NDArray[np.float32]:
        """Probabilities, as :meth:`edgecnn_runtime.backends.Backend.scores`."""
        return np.concatenate([np.asarray(self._answer(each), np.float32) for each in batches(pixels)])


def _tensor(described: Any) -> Tensor:
    kind = getattr(described.dtype, "name", described.dtype)
    return Tensor(described.name, kind, tuple(described.shape)[1:])
