"""In which numbers a network computes; its weights are float32 always."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras

MIXED = "mixed_bfloat16"


@contextlib.contextmanager
def precision(mixed: bool) -> Iterator[None]:
    """Networks that are built inside compute in bfloat16 if ``mixed``, else in float32."""
    import keras

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(MIXED if mixed else "float32")
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


def in_bfloat16(model: keras.Model) -> keras.Model:
    """A copy of a model that computes in bfloat16, but for its last layer."""
    import keras

    def copy(layer: Any) -> Any:
        # An operation that is no layer computes in what it is given.
        plain = layer.output is model.output or not isinstance(layer, keras.layers.Layer)
        dtype = {} if plain else {"dtype": MIXED}
        return type(layer).from_config(layer.get_config() | dtype)

    made = keras.models.clone_model(model, clone_function=copy)
    made.set_weights(model.get_weights())
    return made
