"""Networks with random weights that still tell pictures apart: for trying conversions without training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgecnn.zoo.network import Network

if TYPE_CHECKING:
    import keras

_SPREAD = 2.0
_OFFSET = 2.0
_ENOUGH = 20


def seeded(network: Network, classes: int, images: npt.NDArray[np.uint8], seed: int = 0) -> keras.Model:
    """The network with weights drawn from ``seed``, whose answers to ``images`` differ.

    Fresh weights give nearly the same probabilities to every picture, and a wrong conversion would give them too. So
    batch normalisation takes its statistics from the images, as training would have given them, and the last layer
    is scaled and shifted until each class's logits have mean 0 and standard deviation 2 over the images.

    Args:
        network: which one.
        classes: number of outputs.
        images: pixels 0..255, shape (N, height, width, 3), of any size; some tens of them.
        seed: of the weights.
    """
    import keras

    keras.utils.set_random_seed(seed)
    model = network.build(classes, *images.shape[1:3])
    pixels = images.astype(np.float32)
    _take_statistics(model, pixels[:_ENOUGH])
    last = [layer for layer in model.layers if getattr(layer, "kernel", None) is not None][-1]
    features = keras.Model(model.input, last.input).predict(pixels, batch_size=10, verbose=0)
    kernel, bias = last.get_weights()
    logits = features.reshape(len(images), -1) @ kernel.reshape(-1, classes)
    factor = _SPREAD / (logits.std(0) + 1e-9)
    last.set_weights([kernel * factor, bias - logits.mean(0) * factor])
    return model


def _take_statistics(model: keras.Model, pixels: Any) -> None:
    """One pass in training mode, after which the moving mean and variance are those of these pictures.

    An untrained network with batch normalisation multiplies every rounding error by 1.2 a layer (Yang et al., 2019,
    "A mean field theory of batch normalization"), a trained one does not. An offset that leaves little for ReLU to
    cut away avoids it; but what is added up, block after block, stays centred.
    """
    norms = [layer for layer in model.layers if hasattr(layer, "moving_variance")]
    if not norms:
        return
    added = {id(tensor) for layer in model.layers if type(layer).__name__ == "Add" for tensor in layer.input}
    momenta = [layer.momentum for layer in norms]
    for layer in norms:
        layer.momentum = 0.0
        if id(layer.output) not in added:
            layer.beta.assign(layer.beta + _OFFSET)
    model(pixels, training=True)
    for layer, momentum in zip(norms, momenta, strict=True):
        layer.momentum = momentum
