"""Descriptions of models by Keras 2 in the words of Keras 3, which reads some of them and stops at the others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection
from typing import Any

_SCALES: dict[str, Callable[[float], tuple[float, float]]] = {
    "math.truediv": lambda y: (1 / y, 0.0),
    "math.divide": lambda y: (1 / y, 0.0),
    "math.multiply": lambda y: (y, 0.0),
    "math.add": lambda y: (1.0, y),
    "__operators__.add": lambda y: (1.0, y),
    "math.subtract": lambda y: (1.0, -y),
}
"""Operators of TensorFlow with a number, as the scale and the offset of a layer."""

_MERGES = {"math.add": "Add", "__operators__.add": "Add", "math.multiply": "Multiply", "math.subtract": "Subtract"}
"""Operators of TensorFlow with another layer's output, as a layer."""

_NESTED = (("Sequential",), ("Sequential", "Functional", "Model"))
"""Kinds of models within models whose calls Keras 3 counts otherwise: at the end of a model, and elsewhere."""

_LEARNING_ONLY = ("_initializer", "_regularizer", "_constraint")
"""How the names of options end that mean nothing to a model that has learnt."""


def modern(description: Any) -> Any:
    """A model's description (``config.json`` of a ``.keras`` file, ``model_config`` of an ``.h5``) for Keras 3.

    Layers get the modules of Keras 3 and lose options that are not set and that it does not know; where TensorFlow's
    own operators stand between layers, as in ``preprocess_input``, layers come in their place. What Keras 3 wrote stays
    as it is, and so does what has no place in Keras 3, for Keras to refuse.
    """
    if isinstance(description, list):
        return [modern(each) for each in description]
    if not isinstance(description, dict):
        return description
    made = {key: modern(value) for key, value in _with_input(description).items()}
    if not (isinstance(made.get("class_name"), str) and isinstance(made.get("config"), dict)):
        return made
    if made["class_name"] == "TFOpLambda":
        made = _in_place_of_operator(made)
    return _layer(made)


def _layer(made: dict[str, Any]) -> dict[str, Any]:
    import keras

    kind, config, module = made["class_name"], made["config"], str(made.get("module"))
    if module.startswith("tf_keras.") or ".engine." in module:
        made["module"] = "keras.src.models.functional" if kind == "Functional" else "keras.layers"
    layers = config.get("layers")
    if isinstance(layers, list) and kind != "Sequential":
        plain, nested = ({each.get("name") for each in layers if each["class_name"] in kinds} for kinds in _NESTED)
        for each in layers:
            each["inbound_nodes"] = _renumbered(each.get("inbound_nodes"), nested)
        ends = {key: _renumbered(config[key], plain) for key in ("input_layers", "output_layers") if key in config}
        # Keras 3 takes a list of one for a model that wants its input, or gives its output, in a list.
        made["config"] = config | {key: end[0] if len(end) == 1 else end for key, end in ends.items()}
    elif isinstance(layer := getattr(keras.layers, kind, None), type):
        made["config"] = {key: value for key, value in config.items() if not _is_gone(layer, key, value)}
        if kind == "BatchNormalization" and isinstance(axis := config.get("axis"), list):
            made["config"]["axis"] = axis[0]
    return made


def _with_input(description: dict[str, Any]) -> dict[str, Any]:
    """A Sequential with a layer for its input, whose shape the oldest files tell in the first of the others alone."""
    match description:
        case {
            "class_name": "Sequential",
            "config": {
                "layers": [{"class_name": kind, "config": {"batch_input_shape": shape}}, *_] as layers
            } as config,
        } if kind != "InputLayer":
            given = {"class_name": "InputLayer", "config": {"batch_input_shape": shape}}
            return description | {"config": config | {"layers": [given, *layers]}}
    return description


def _renumbered(nodes: Any, nested: Collection[str]) -> Any:
    """The calls of a layer, where those of a nested model count from 0; Keras 2 counted its own input too."""
    match nodes:
        case [str(name), int(node), int(tensor), *options] if name in nested and node:
            return [name, node - 1, tensor, *options]
        case list():
            return [_renumbered(each, nested) for each in nodes]
        case _:
            return nodes


def _is_gone(layer: type, key: str, value: Any) -> bool:
    """Whether an option of Keras 2 says nothing that Keras 3 has a word for."""
    if key == "batch_input_shape":
        return layer.__name__ != "InputLayer"
    if value not in (None, False, 1) and key != "rng_type" and not key.endswith(_LEARNING_ONLY):
        return False
    known = {name for each in inspect.getmro(layer) for name in inspect.signature(each).parameters}
    return key not in known | {"dtype", "name", "trainable"}


def _in_place_of_operator(made: dict[str, Any]) -> dict[str, Any]:
    """A layer that does what an operator of TensorFlow did; the operator itself where there is none."""
    function, name = made["config"].get("function"), made["config"]["name"]
    match made.get("inbound_nodes"):
        case [[str(before), int(node), int(tensor), dict(options)]]:
            other, first = options.get("y"), [before, node, tensor, {}]
        case _:
            return made
    if isinstance(other, list) and function in _MERGES:
        kind, config, nodes = _MERGES[function], {}, [[first, [*other, {}]]]
    elif isinstance(other, int | float) and function in _SCALES:
        scale, offset = _SCALES[function](other)
        kind, config, nodes = "Rescaling", {"scale": scale, "offset": offset}, [[first]]
    elif function == "cast":
        kind, config, nodes = "Rescaling", {"scale": 1.0, "offset": 0.0}, [[first]]
    else:
        return made
    return {"class_name": kind, "name": name, "config": {"name": name} | config, "inbound_nodes": nodes}
