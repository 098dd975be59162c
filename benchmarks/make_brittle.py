"""Write a network that breaks under int8: ``python benchmarks/make_brittle.py models/baseline.keras brittle.keras``.

Two channels of the first layer with weights become 300 times as large, and the next layer's weights for them as much
smaller. In float the answers stay the same. In 8 bits, one step of the scale that holds the large channels is larger
than most values of the others.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

CHANNELS, FACTOR = 2, 300


def main(source: str, target: str) -> None:
    """Read, change and write."""
    from edgecnn.training import keras_backend
    from edgecnn_export import keras_file

    keras_backend.choose_tensorflow("this")
    model, about = keras_file.load(Path(source))
    first, second = [layer for layer in model.layers if layer.weights][:2]
    factor = np.ones(first.kernel.shape[-1], np.float32)
    factor[:CHANNELS] = FACTOR
    first.set_weights([weight * factor for weight in first.get_weights()])
    kernel, bias = second.get_weights()
    inputs = kernel.reshape(-1, len(factor), kernel.shape[-1])  # the channel is the last but one, flattened or not
    second.set_weights([(inputs / factor[:, None]).reshape(kernel.shape), bias])
    keras_file.save(Path(target), model, about)


if __name__ == "__main__":
    main(*sys.argv[1:])
