"""Batch normalisation folded into the convolution before it, as every exporter does it for inference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras


def folded(model: keras.Model) -> keras.Model:
    """A copy of a model that gives the same answers outside training, without the normalisations that can go.

    A convolution whose only reader is a batch normalisation takes over its scale and offset (Jacob et al.,
    "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference", 2018, section
    3.2).
    """
    import keras

    model = keras.Model(model.inputs[0], model.outputs[0])  # a Sequential has no calls to leave out
    pairs = {conv.name: norm for conv in model.layers if (norm := _normalisation_after(conv)) is not None}
    gone = {norm.name for norm in pairs.values()}

    def copy(layer: Any) -> Any:
        options = layer.get_config() | ({"use_bias": True} if layer.name in pairs else {})
        return type(layer).from_config(options)

    def call(layer: Any, inputs: Any, *others: Any, **options: Any) -> Any:
        return inputs if layer.name in gone else layer(inputs, *others, **options)

    made = keras.models.clone_model(model, clone_function=copy, call_function=call)
    for layer in model.layers:
        if layer.name in pairs:
            made.get_layer(layer.name).set_weights(_merged(layer, pairs[layer.name]))
        elif layer.name not in gone:
            made.get_layer(layer.name).set_weights(layer.get_weights())
    return made


def readers(layer: Any) -> list[Any]:
    """The layers that read a layer's output."""
    return [node.operation for node in layer._outbound_nodes]


def _normalisation_after(layer: Any) -> Any:
    import keras

    follow = readers(layer)
    kinds = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)
    foldable = type(layer) in kinds and layer.activation is keras.activations.linear
    if foldable and len(follow) == 1 and isinstance(follow[0], keras.layers.BatchNormalization):
        return follow[0]
    return None


def _merged(conv: Any, norm: Any) -> list[Any]:
    kernel = np.asarray(conv.kernel)
    bias = np.asarray(conv.bias) if conv.use_bias else np.float32(0)
    scale = 1 / np.sqrt(np.asarray(norm.moving_variance) + norm.epsilon)
    if norm.scale:
        scale = scale * np.asarray(norm.gamma)
    offset = (bias - np.asarray(norm.moving_mean)) * scale
    if norm.center:
        offset = offset + np.asarray(norm.beta)
    if hasattr(conv, "depth_multiplier"):  # its kernel ends in channels and multiplier, where others have filters
        return [kernel * scale.reshape(kernel.shape[2:]), offset]
    return [kernel * scale, offset]
