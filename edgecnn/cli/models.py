"""``edgecnn models``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from edgecnn.cli.console import json_text
from edgecnn.cli.tables import show
from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    from edgecnn.zoo import Network
    from edgecnn.zoo.layer_table import Layer


def models(
    name: Annotated[str | None, typer.Argument(help="A network; without one, all are listed.")] = None,
    classes: Annotated[
        int | None, typer.Option(min=1, help="Number of classes.", show_default="the published network's")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the networks, or the layers of one.

    Multiply-adds are those of convolutions and dense layers for one picture.

    Example: edgecnn models lenet5 --classes 3
    """
    from edgecnn import zoo

    if name is None:
        if classes is not None:
            raise UsageError("--classes goes with the name of a network")
        _list(list(zoo.NETWORKS.values()), as_json)
    else:
        network = zoo.find(name)
        _layers(network, classes or network.classes, as_json)


def _list(networks: list[Network], as_json: bool) -> None:
    if as_json:
        print(json_text([_about(network) for network in networks], 2))
        return
    show(
        ("name", "input", "pretrained", "paper", "parameters", "multiply-adds"),
        [
            (
                each.name,
                _shape((each.height, each.width, 3)),
                "yes" if each.pretrained else "no",
                each.source,
                f"{each.parameters:,}",
                f"{each.multiply_adds:,}",
            )
            for each in networks
        ],
        text_columns=4,
    )


def _about(network: Network) -> dict[str, object]:
    return {
        "name": network.name,
        "input": [network.height, network.width, 3],
        "classes": network.classes,
        "parameters": network.parameters,
        "multiply_adds": network.multiply_adds,
        "source": network.source,
        "pretrained": network.pretrained,
        "recipe": network.recipe,
    }


def _layers(network: Network, classes: int, as_json: bool) -> None:
    from edgecnn.training import keras_backend
    from edgecnn.zoo.layer_table import layer_table, total

    keras_backend.choose()
    layers = layer_table(network.outline(classes))
    parameters, multiply_adds = total(layers)
    if as_json:
        document = _about(network) | {"classes": classes, "parameters": parameters, "multiply_adds": multiply_adds}
        document["layers"] = [vars(each) for each in layers]
        print(json_text(document, 2))
        return
    print(f"{network.name} ({network.source}), {classes:,} classes")
    show(
        ("layer", "type", "output", "parameters", "multiply-adds"),
        [*map(_row, layers), ("total", "", "", f"{parameters:,}", f"{multiply_adds:,}")],
        text_columns=3,
    )


def _row(layer: Layer) -> tuple[str, ...]:
    return (
        layer.name,
        layer.type,
        _shape(layer.output_shape),
        f"{layer.parameters:,}" if layer.parameters else "",
        f"{layer.multiply_adds:,}" if layer.multiply_adds else "",
    )


def _shape(sides: tuple[int, ...]) -> str:
    return "x".join(map(str, sides))
