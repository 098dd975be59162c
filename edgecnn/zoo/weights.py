"""Put trained weights into a network: from a file, or Keras's own for ImageNet."""

from __future__ import annotations

import re
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn.zoo.applications import keras_function
from edgecnn.zoo.network import Network
from edgecnn.zoo.weight_files import Weights, opened
from edgecnn_export import keras_file
from edgecnn_runtime.errors import DataError, ExportError, UsageError, first_line

if TYPE_CHECKING:
    import keras


def load(
    model: keras.Model, network: Network, file: Path | None = None, labels: tuple[str, ...] | None = None
) -> list[str]:
    """Load trained weights into ``model``, layer by layer; all of them fit, or none is loaded.

    Layers are matched by name, those that Keras has numbered by their order among their kind; where a file of Keras's
    older layout has other names, all by their order, as Keras does. The last layer keeps its initial weights if it
    tells other classes apart, and so do the layers after the last one in the file ("no top").

    Args:
        model: built by ``network``, for any number of classes.
        network: what it is.
        file: see :func:`edgecnn.zoo.weight_files.opened`; without one, Keras's own weights for ImageNet, which it
            downloads into its cache, with a progress bar.
        labels: of the classes, which a ``.keras`` file of edgecnn's must have for its last layer to fit; without them,
            only their number counts.

    Returns:
        Names of the layers that were not loaded, in the model's order.

    Raises:
        UsageError: no file is given, and Keras has no weights for this network.
        DataError: the file is missing, damaged, or of another network; or Keras cannot fetch its own.
    """
    if file is not None:
        with opened(file) as weights:
            return _assign(model, weights, str(file), _tells_others_apart(file, labels))
    if not network.pretrained:
        raise UsageError(f"there are no trained weights for {network.name}; give a file of them with --weights")
    return _assign(model, _from_keras(network), "Keras's own file")


def _tells_others_apart(file: Path, labels: tuple[str, ...] | None) -> bool:
    """Whether the file says that its last layer is for other classes than these."""
    if labels is None or file.suffix != ".keras":
        return False
    try:
        return keras_file.read_about(file).labels != labels
    except ExportError:  # it is not edgecnn's, and does not say
        return False


def _from_keras(network: Network) -> Weights:
    """ImageNet weights as ``keras.applications`` gives them, always with the classifier.

    Without it, the layers between it and the convolutions would be missing too, which MobileNetV3 and VGG have.
    """
    try:
        trained = keras_function(network.name)(weights="imagenet")
    except Exception as problem:  # Keras raises a bare one
        raise DataError(_how_to_fetch(network.name, problem)) from None
    layers = {layer.name: {str(i): each for i, each in enumerate(layer.weights)} for layer in _weighted(trained)}
    return Weights(layers, in_order=True)


def _how_to_fetch(name: str, problem: Exception) -> str:
    reason = first_line(problem)
    # What Keras was fetching, and where to, is known only inside its get_file.
    for frame, _ in traceback.walk_tb(problem.__traceback__):
        wanted = frame.f_locals
        if frame.f_code.co_name == "get_file" and "download_target" in wanted:
            known = f", whose hash is {wanted['file_hash']}," if wanted.get("file_hash") else ""
            return (
                f"the weights of {name} cannot be fetched from here; download {wanted['origin']}{known} elsewhere and "
                f"save it as {wanted['download_target']}, or name it with --weights"
            )
    return f"Keras cannot load its weights of {name} ({reason}); name a file of them with --weights"


def _weighted(model: keras.Model) -> list[keras.Layer]:
    return [layer for layer in model.layers if layer.weights]


def _assign(model: keras.Model, weights: Weights, source: str, other_classes: bool = False) -> list[str]:
    layers = _weighted(model)
    pairs = _pair(layers, weights)
    if not pairs:
        raise DataError(f"{source} has none of the layers of {model.name}: it holds the weights of another network")
    if strange := _too_many(layers, weights, pairs):
        raise DataError(
            f"{source} does not fit {model.name}: its layer {strange} is none of the network's; "
            "it holds the weights of a larger one"
        )
    last_pair = max(index for index, layer in enumerate(layers) if layer.name in pairs)
    for layer in layers[:last_pair]:
        if layer.name not in pairs:
            raise DataError(f"{source} does not fit {model.name}: it lacks the layer {layer.name}")
    values = {}
    for layer in layers[: last_pair + 1]:
        found = _values(layer, weights.layers[pairs[layer.name]])
        shapes, expected = [tuple(each.shape) for each in found], [tuple(each.shape) for each in layer.weights]
        if layer is layers[-1] and other_classes:
            continue
        if shapes == expected:
            values[layer.name] = found
        elif layer is not layers[-1] or not _only_classes_differ(shapes, expected):
            raise DataError(
                f"{source} does not fit {model.name}: its layer {layer.name} has the shape {_text(shapes)}, "
                f"the network's {_text(expected)}"
            )
    for layer in layers:
        for variable, value in zip(layer.weights, values.get(layer.name, ()), strict=layer.name in values):
            variable.assign(np.asarray(value))
    return [layer.name for layer in layers if layer.name not in values]


def _pair(layers: list[keras.Layer], weights: Weights) -> dict[str, str]:
    """The file's name of each layer that it has, by the network's."""
    named = {layer.name: layer.name for layer in layers if layer.name in weights.layers}
    # Keras numbers the layers that have no name of their own (Xception's) on and on within a process.
    for kind in {_kind(layer) for layer in layers} - {""}:
        ours = sorted((layer.name for layer in layers if _kind(layer) == kind), key=_number)
        theirs = sorted((name for name in weights.layers if re.fullmatch(rf"{kind}(_\d+)?", name)), key=_number)
        if len(ours) == len(theirs):
            named |= dict(zip(ours, theirs, strict=True))
    strange = 2 * len(named) <= len(weights.layers)
    if strange and weights.in_order and len(weights.layers) <= len(layers):
        return {layer.name: name for layer, name in zip(layers, weights.layers, strict=False)}
    return named


def _kind(layer: keras.Layer) -> str:
    """What Keras calls a layer of this class, without its number; nothing, if the layer has a name of its own."""
    kind = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])", "_", type(layer).__name__).lower()
    return kind if re.fullmatch(rf"{kind}(_\d+)?", layer.name) else ""


def _number(name: str) -> int:
    found = re.search(r"_(\d+)$", name)
    return int(found[1]) if found else 0


def _too_many(layers: list[keras.Layer], weights: Weights, pairs: dict[str, str]) -> str:
    """A layer of the file that the network has not, if there are more of them than the network would leave new.

    Layers of vectors alone do not count: Keras's EfficientNet has its normalisation as one.
    """
    unused = [
        name
        for name, arrays in weights.layers.items()
        if name not in pairs.values() and any(len(each.shape) > 1 for each in arrays.values())
    ]
    return unused[0] if len(unused) > len(layers) - len(pairs) else ""


def _values(layer: keras.Layer, arrays: dict[str, Any]) -> list[Any]:
    """A layer's arrays in the order of its variables; all of the file's, where they are not called like those."""
    found = [arrays.get(variable.name, arrays.get(str(index))) for index, variable in enumerate(layer.weights)]
    return list(arrays.values()) if len(arrays) != len(found) or any(each is None for each in found) else found


def _only_classes_differ(shapes: list[tuple[int, ...]], expected: list[tuple[int, ...]]) -> bool:
    return [shape[:-1] for shape in shapes] == [shape[:-1] for shape in expected]


def _text(shapes: list[tuple[int, ...]]) -> str:
    return " and ".join(map(str, shapes))
