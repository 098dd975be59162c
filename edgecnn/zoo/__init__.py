"""The networks, by name. Adding one: write its file, then add it to ``NETWORKS``."""

from __future__ import annotations

from edgecnn.zoo.lesson import BASELINE, DEEPER
from edgecnn.zoo.network import Network
from edgecnn_runtime.errors import UsageError

NETWORKS: dict[str, Network] = {network.name: network for network in (BASELINE, DEEPER)}


def find(name: str) -> Network:
    """The network of that name.

    Raises:
        UsageError: there is none; the message lists the names.
    """
    try:
        return NETWORKS[name]
    except KeyError:
        raise UsageError(f"no network is called {name!r}; there are: {', '.join(NETWORKS)}") from None


__all__ = ["NETWORKS", "Network", "find"]
