"""Quantization-aware fine-tuning: a trained network learns to bear the rounding of an int8 file.

Of the ways there are, this one is ours because no other fits: TensorFlow's Model Optimization toolkit knows Keras 2
only; Keras 3's own quantization is for inference, of dense layers above all, and its int8 is not TFLite's; and what it
takes is three small files. The result is a float model like any other, and is exported like any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edgecnn.training.folding import folded, readers

if TYPE_CHECKING:
    import keras


def aware(model: keras.Model) -> keras.Model:
    """A copy of a model that rounds as its int8 file will, without the normalisations that exporters fold away.

    What converters fuse is rounded once, behind the last of it; the probabilities are not rounded.
    """
    import keras

    from edgecnn.training.rounding_layers import ROUNDING

    plain = folded(model)

    def copy(layer: Any) -> Any:
        kind = ROUNDING.get(type(layer), type(layer))
        made = kind.from_config(layer.get_config())
        if kind is not type(layer):
            made.rounds_output = layer.output is not plain.output and not _is_fused_with_the_next(layer)
        return made

    made = keras.models.clone_model(plain, clone_function=copy)
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
    return len(follow) == 1 and isinstance(follow[0], keras.layers.ReLU | keras.layers.Activation)
