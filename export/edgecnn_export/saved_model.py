"""Keras model to a TensorFlow SavedModel that takes pixels, for programs that run TensorFlow itself."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from edgecnn_runtime.errors import ExportError

if TYPE_CHECKING:
    import keras


def convert(model: keras.Model) -> dict[str, bytes]:
    """The files of the SavedModel's folder by their names.

    Its serving signature takes ``pixels``, uint8, shape (N, height, width, 3), and gives ``probabilities``, float32,
    shape (N, classes).

    Raises:
        ExportError: TensorFlow cannot write it, for instance because the temporary folder is full.
    """
    import tensorflow as tf

    module = with_pixels_in(model, tf.TensorSpec((None, *model.input_shape[1:]), tf.uint8, "pixels"))
    with TemporaryDirectory() as folder:
        try:
            tf.saved_model.save(module, folder, signatures=module.serve)
        except tf.errors.OpError as problem:
            what = problem.message.rpartition("}} ")[2]  # before it stands the operator that writes
            raise ExportError(f"TensorFlow cannot write {model.name} as a SavedModel ({what})") from None
        paths = [path for path in sorted(Path(folder).rglob("*")) if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def with_pixels_in(model: keras.Model, pixels: Any) -> Any:
    """The model as a TensorFlow module, whose function ``serve`` takes the tensor that ``pixels`` specifies.

    Keras's own ``ExportArchive`` would save every weight twice.
    """
    import tensorflow as tf

    @tf.function(input_signature=[pixels])  # type: ignore[untyped-decorator]
    def serve(pixels: Any) -> dict[str, Any]:
        return {"probabilities": model(tf.cast(pixels, tf.float32), training=False)}

    module = tf.Module()
    module.weights = [variable.value for variable in model.variables]
    module.serve = serve
    return module
