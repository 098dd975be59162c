"""Local response normalisation, made of operations that every interpreter has, in integers too."""

from __future__ import annotations

from typing import Any

WINDOW, BIAS, ALPHA = 5, 2.0, 1e-4
"""The paper's n, k and alpha, chosen there on a validation set; its beta is 0.75."""


def local_response(x: Any, name: str) -> Any:
    """Divide each activation by ``(k + alpha * sum of the squares of n neighbouring channels) ** 0.75``.

    Krizhevsky et al., 2012, "ImageNet classification with deep convolutional neural networks", section 3.3. The
    activations ``x`` have shape (N, height, width, channels).

    TFLite's own operation for it exists in float only, and ONNX's wants the channels first. This is a model of
    Keras's own operations instead, so that a saved network needs no class of ours to load.
    """
    import keras
    from keras import ops

    channels = x.shape[-1]
    given = keras.Input(x.shape[1:], dtype=x.dtype, name="activations")
    activations = ops.cast(given, "float32")
    # Squares of raw activations would overflow in half precision: the factor comes first.
    scaled = activations * ALPHA**0.5
    padded = ops.pad(scaled * scaled, ((0, 0), (0, 0), (0, 0), (WINDOW // 2, WINDOW // 2)))
    base = BIAS + sum(padded[..., first : first + channels] for first in range(WINDOW))
    # base ** -0.75, without a power, which TFLite has not in integers. In this order no product spans many powers of
    # ten, which eight bits would not hold: after two layers the error is 2 to 3 % instead of 13 to 21 %.
    root = ops.rsqrt(base)
    return keras.Model(given, (activations * root) * (root * ops.rsqrt(root)), name=name)(x)
