"""Descriptions of models by Keras 2 in the words of Keras 3, which reads some of them and stops at the others."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterator
from typing import Any

from edgecnn_runtime.errors import ExportError

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

_OTHER_FUNCTION = "hard_sigmoid"
"""In Keras 2 clip(x / 5 + 1 / 2, 0, 1), in Keras 3 clip(x / 6 + 1 / 2, 0, 1)."""


def modern(description: Any) -> Any:
    """A model's description (``config.json`` of a ``.keras`` file, ``model_config`` of an ``.h5``) for Keras 3.

    Layers get the modules of Keras 3 and lose options that are not set and that it does not know; where TensorFlow's
    own operators stand between layers, as in ``preprocess_input``, layers come in their place. What Keras 3 wrote stays
    as it is, and so does what has no place in Keras 3, for Keras to refuse.

    Raises:
        ExportError: a layer computes a function that has its name, and is another, in Keras 3.
    """
    return _modern(_without_slashes(description))


def _modern(description: Any) -> Any:
    if isinstance(description, list):
        return [_modern(each) for each in description]
    if not isinstance(description, dict):
        return description
    made = {key: _modern(value) for key, value in _with_input(description).items()}
    if not _is_object(made):
        return made
    if made["class_name"] == "Policy":
        name = {"name": made["config"].get("name")}
        return {"module": "keras", "class_name": "DTypePolicy", "config": name, "registered_name": None}
    if made["class_name"] == "TFOpLambda":
        made = _in_place_of_operator(made)
    return _layer(made)


def _is_object(description: Any) -> bool:
    return (
        isinstance(description, dict)
        and isinstance(description.get("class_name"), str)
        and isinstance(description.get("config"), dict)
    )


def _without_slashes(description: Any) -> Any:
    """The same with other names for layers that have a slash in it, which Keras 3 does not allow."""
    names = set(_names(description))
    plain: dict[str, str] = {}
    for name in sorted(each for each in names if "/" in each):
        plain[name] = name.replace("/", "_")
        while plain[name] in names:
            plain[name] += "_"
        names.add(plain[name])

    def renamed(part: Any) -> Any:
        if isinstance(part, list):
            return [renamed(each) for each in part]
        if isinstance(part, dict):
            return {key: renamed(value) for key, value in part.items()}
        return plain.get(part, part) if isinstance(part, str) else part

    return renamed(description) if plain else description


def _names(description: Any) -> Iterator[str]:
    if _is_object(description) and isinstance(name := description["config"].get("name"), str):
        yield name
    for each in description.values() if isinstance(description, dict) else description:
        if isinstance(each, dict | list):
            yield from _names(each)


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
        _require_same_function(config)
        made["config"] = {key: value for key, value in config.items() if not _is_gone(layer, key, value)}
        if kind == "BatchNormalization" and isinstance(axis := config.get("axis"), list):
            made["config"]["axis"] = axis[0]
    return made


def _require_same_function(config: dict[str, Any]) -> None:
    for key, value in config.items():
        named = value.get("config") if isinstance(value, dict) else value
        if key.endswith("activation") and named == _OTHER_FUNCTION:
            raise ExportError(
                f"the layer {config.get('name')} has Keras 2's {_OTHER_FUNCTION}, which is another function in Keras "
                "3: train the network with another"
            )


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
    says_nothing = value is None or value is False or (key == "groups" and value == 1)
    if not says_nothing and key not in ("rng_type", "trainable") and not key.endswith(_LEARNING_ONLY):
        return False
    for each in inspect.getmro(layer):
        if each.__name__ == "Layer":
            break
        options = inspect.signature(each).parameters
        if key in options:
            return False
        if not any(option.kind is option.VAR_KEYWORD for option in options.values()):
            return True  # what it does not take is not handed on
    return key not in ("dtype", "name", "trainable")


def _in_place_of_operator(made: dict[str, Any]) -> dict[str, Any]:
    """A layer that does what an operator of TensorFlow did; the operator itself where there is none."""
    function, name = made["config"].get("function"), made["config"]["name"]
    match made.get("inbound_nodes"):
        case [[str(before), int(node), int(tensor), dict(options)]]:
            other, first = options.get("y"), [before, node, tensor, {}]
        case _:
            return made
    if isinstance(other, list) and other and isinstance(other[0], str) and function in _MERGES:
        kind, config, nodes = _MERGES[function], {}, [[first, [*other, {}]]]
    elif isinstance(other, int | float) and function in _SCALES:
        scale, offset = _SCALES[function](other)
        kind, config, nodes = "Rescaling", {"scale": scale, "offset": offset}, [[first]]
    elif function == "cast":
        kind, config, nodes = "Rescaling", {"scale": 1.0, "offset": 0.0}, [[first]]
    else:
        return made
    return {"class_name": kind, "name": name, "config": {"name": name} | config, "inbound_nodes": nodes}
