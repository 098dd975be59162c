"""The networks, by name. Adding one: write its file, then add it to ``NETWORKS``."""

from __future__ import annotations

import difflib

from edgecnn.zoo.alexnet import ALEXNET
from edgecnn.zoo.applications import APPLICATIONS
from edgecnn.zoo.edge import EDGE
from edgecnn.zoo.googlenet import GOOGLENET
from edgecnn.zoo.lenet import LENET5
from edgecnn.zoo.lesson import BASELINE, DEEPER
from edgecnn.zoo.network import Network
from edgecnn.zoo.resnet import RESNET8, RESNET20, RESNET56
from edgecnn_runtime.errors import UsageError

NETWORKS: dict[str, Network] = {
    network.name: network
    for network in (BASELINE, DEEPER, LENET5, RESNET8, RESNET20, RESNET56, *EDGE, ALEXNET, GOOGLENET, *APPLICATIONS)
}


def find(name: str) -> Network:
    """The network of that name.

    Raises:
        UsageError: there is none; the message names similar ones.
    """
    try:
        return NETWORKS[name]
    except KeyError:
        similar = difflib.get_close_matches(name, NETWORKS, n=3) or NETWORKS
        raise UsageError(
            f"no network is called {name!r}; there are, for instance, {', '.join(list(similar)[:3])}; "
            "`edgecnn models` lists them all"
        ) from None


__all__ = ["NETWORKS", "Network", "find"]
