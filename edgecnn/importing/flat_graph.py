"""A model's layers, copied out of whatever models they lie in, onto another input."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from edgecnn_runtime.errors import ExportError

_ROUNDED = ("mixed_", "float16", "bfloat16", "float64")


class FlatGraph:
    """Copies of layers in float32, one of each, under names of their own.

    A model within a model is one layer to Keras, which hides what is in it: from whoever draws its feature maps, names
    the layers that lose accuracy, or folds a normalisation.
    """

    def __init__(self, taken: Iterable[str], linear: Any = None) -> None:
        """Begin with no layers.

        Args:
            taken: names that no layer may have.
            linear: an operation to leave out, or a layer whose copy is to have no activation.
        """
        self._linear = linear
        self._made: dict[int, tuple[Any, Any]] = {}
        self._names: set[str] = set(taken)

    def __call__(self, model: Any, inputs: Any) -> Any:
        """The output of a Sequential or a functional model for a tensor; its layers' copies are made at need."""
        import keras

        if isinstance(model, keras.Sequential):
            for each in model.layers:
                inputs = self._through(each, inputs)
            return inputs
        return model._run_through_graph(inputs, operation_fn=lambda each: each, call_fn=self._through)

    def take_weights(self) -> None:
        """Give every copy the weights of its original; the copies must have been called."""
        for original, copy in self._made.values():
            copy.set_weights(original.get_weights())
            if hasattr(copy, "finalize_state"):  # Normalization computes with what it made of its weights
                copy.finalize_state()

    def _through(self, operation: Any, *inputs: Any, **options: Any) -> Any:
        import keras

        if isinstance(operation, keras.Model):
            return self(operation, inputs[0])
        if not isinstance(operation, keras.layers.Layer):
            if operation is self._linear:
                return inputs[0]
            return operation(*inputs, **options)
        if id(operation) not in self._made:
            self._made[id(operation)] = operation, self._copy(operation)
        return self._made[id(operation)][1](*inputs, **options)

    def _copy(self, layer: Any) -> Any:
        if "int8" in layer.dtype_policy.name or "int4" in layer.dtype_policy.name:
            raise ExportError(
                f"the layer {layer.name} has weights in {layer.dtype_policy.name}; give the model that was quantized"
            )
        name = plain = plain_name(layer.name, "layer")
        number = 1
        while name in self._names:
            number += 1
            name = f"{plain}_{number}"
        self._names.add(name)
        ending = {"activation": "linear"} if layer is self._linear else {}
        return type(layer).from_config(_in_float32(layer.get_config()) | {"name": name} | ending)


def plain_name(name: str, otherwise: str) -> str:
    """A name that TensorFlow takes for a scope: of letters, digits and ``_.-``, beginning with one of the former."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", name).lstrip("_.-") or otherwise


def _in_float32(config: Any) -> Any:
    """The options of a layer, and of layers in them, without a policy of fewer or more bits."""
    if isinstance(config, list):
        return [_in_float32(each) for each in config]
    if not isinstance(config, dict):
        return config
    made = {key: _in_float32(value) for key, value in config.items()}
    policy = made.get("dtype")
    said = policy["config"].get("name", "") if isinstance(policy, dict) else str(policy)
    return made | {"dtype": "float32"} if said.startswith(_ROUNDED) else made
