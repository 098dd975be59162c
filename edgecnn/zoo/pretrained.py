"""Networks with their ImageNet weights, ready to export."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgecnn.data import imagenet
from edgecnn.zoo import weight_files, weights
from edgecnn.zoo.network import Network
from edgecnn_export.keras_file import About
from edgecnn_runtime.errors import DataError, UsageError

if TYPE_CHECKING:
    import keras


def about(network: Network, file: Path | None) -> About:
    """What the network is with its ImageNet weights, from ``file`` or Keras's own; nothing is loaded.

    Raises:
        UsageError: the network is not one of ImageNet's.
        DataError: the file cannot be read.
    """
    if not network.pretrained:
        raise UsageError(
            f"there are no ImageNet weights for {network.name}; name the folder of its run, for instance "
            f"runs/{network.name}, or its .keras file"
        )
    return About(
        network.name,
        imagenet.labels(),
        imagenet.input_spec(network.height, network.width),
        {
            "training_data": "ImageNet (ILSVRC 2012)",
            "weights": weight_files.origin(file) if file else "keras.applications",
        },
    )


def build(network: Network, file: Path | None) -> keras.Model:
    """The network with its ImageNet weights; see :func:`edgecnn.zoo.weights.load`.

    Raises:
        DataError: as there; or the file has no classifier, without which nothing can be classified.
    """
    model = network.build(network.classes)
    missing = weights.load(model, network, file)
    if missing:
        raise DataError(
            f"{file} has no weights of {', '.join(missing)} for {network.classes} classes; give the file with the top"
        )
    return model
