"""Quantization-aware fine-tuning: a trained network learns to bear the rounding of an int8 file.

Of the ways there are, this one is ours because no other fits: TensorFlow's Model Optimization toolkit knows Keras 2
only; Keras 3's own quantization is for inference, of dense layers above all, and its int8 is not TFLite's; and what it
takes is three small files. The result is a float model like any other, and is exported like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgecnn.training.folding import folded, readers
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    import keras


def aware(model: keras.Model) -> keras.Model:
    """A copy of a model that rounds as its int8 file will, without the normalisations that exporters fold away.

    What converters fuse is rounded once, behind the last of it. An activation that they do not fuse, tanh or softmax
    for instance, is a step of its own there and becomes a layer here. The probabilities are not rounded.

    Raises:
        UsageError: a layer has a kernel and no rounding form, for instance a separable convolution.
    """
    import keras

    from edgecnn.training.rounding_layers import KERNELS, ROUNDING, Activation

    for layer in model.layers:
        if type(layer) not in ROUNDING and any(hasattr(layer, name) for name in KERNELS):
            raise UsageError(
                f"--qat rounds convolutions, depthwise ones and dense layers, and no {type(layer).__name__}, which "
                f"{layer.name} is; export the network as it is"
            )
    plain = folded(model)
    split: dict[str, Any] = {}

    def copy(layer: Any) -> Any:
        kind, options = ROUNDING.get(type(layer), type(layer)), layer.get_config()
        if hasattr(layer, "kernel") and not _is_fused(layer):
            activation = Activation(layer.activation, dtype=layer.dtype_policy, name=f"{layer.name}_activation")
            activation.rounds_output = layer.output is not plain.output
            split[layer.name], options["activation"] = activation, "linear"
        made = kind.from_config(options)
        if kind is not type(layer):
            made.rounds_output = layer.name in split or (
                layer.output is not plain.output and not _is_fused_with_the_next(layer)
            )
        return made

    def call(layer: Any, inputs: Any, *others: Any, **options: Any) -> Any:
        given = layer(inputs, *others, **options)
        return split[layer.name](given) if layer.name in split else given

    made = keras.models.clone_model(plain, clone_function=copy, call_function=call)
    copy_weights(plain, made)
    return made


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """All weights but the ranges, between a model that rounds and one that does not."""
    for weight, value in zip(_learnt(target), _learnt(source), strict=True):
        weight.assign(value)


def _learnt(model: keras.Model) -> list[Any]:
    from edgecnn.training.rounding_layers import RANGE

    return [weight for weight in model.weights if weight.name not in RANGE]


def _is_fused_with_the_next(layer: Any) -> bool:
    import keras

    follow = readers(layer)
    if len(follow) != 1 or not isinstance(follow[0], keras.layers.ReLU | keras.layers.Activation):
        return False
    return isinstance(follow[0], keras.layers.ReLU) or _is_fused(follow[0])


def _is_fused(layer: Any) -> bool:
    """Whether converters make the activation a part of what comes before it."""
    import keras

    known = keras.activations
    return layer.activation in (known.linear, known.relu, known.relu6)
