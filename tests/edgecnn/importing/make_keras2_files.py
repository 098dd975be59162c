"""Make the files under data/ as Keras 2 writes them, with its own answers, so that the tests need no Keras 2.

Needs the package tf_keras beside TensorFlow. ``nested`` has what its tutorials have: augmentation in a Sequential, the
operators of ``preprocess_input``, a base that is called in inference, a sum of two layers, a single logit.
``teachable`` is a Sequential of Sequentials around a functional model, as Teachable Machine writes it. Run from the
root of the checkout: python tests/edgecnn/importing/make_keras2_files.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tf_keras as keras
from tf_keras import layers

DATA = Path(__file__).parent / "data"
SIDE = 16


def base() -> keras.Model:
    """A few kinds of layers, two of which Keras 2 describes in words that Keras 3 does not know."""
    pixels = keras.Input((SIDE, SIDE, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(pixels)
    x = layers.BatchNormalization()(x)
    short = x = layers.LeakyReLU(0.1)(x)
    x = layers.DepthwiseConv2D(3, padding="same")(x)
    x = layers.ReLU(6.0)(x)
    x = layers.SeparableConv2D(4, 3, padding="same")(x)
    return keras.Model(pixels, x + short, name="base")


def nested() -> keras.Model:
    """Two classes, from pixels 0..255."""
    pixels = keras.Input((SIDE, SIDE, 3))
    x = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomRotation(0.1)])(pixels)
    x = keras.applications.mobilenet_v2.preprocess_input(x)
    x = layers.GlobalAveragePooling2D()(base()(x, training=False))
    return keras.Model(pixels, layers.Dense(1)(layers.Dropout(0.2)(x)))


def teachable() -> keras.Model:
    """Three classes, from values -1..1."""
    seen = keras.Sequential([base(), layers.GlobalAveragePooling2D()])
    told = keras.Sequential([layers.Dense(8, activation="relu", input_shape=(4,)), layers.Dense(3, "softmax")])
    return keras.Sequential([seen, told])


def _spread(model: Any) -> None:
    """Weights that tell pictures apart, normalisation's too."""
    numbers = np.random.default_rng(1)
    for weight in model.weights:
        low = 0.5 if "variance" in weight.name else -1.0
        weight.assign(numbers.uniform(low, 1.0, weight.shape))


def main() -> None:
    """Write the models and their answers to the same noise, from 0 to 255 and from -1 to 1."""
    keras.utils.set_random_seed(1)
    noise = np.random.default_rng(2).integers(0, 256, (4, SIDE, SIDE, 3)).astype(np.float32)
    answers = {}
    for name, model, given in (("nested", nested(), noise), ("teachable", teachable(), noise / 127.5 - 1)):
        model.build((None, SIDE, SIDE, 3))
        _spread(model)
        answers[name] = model.predict(given, verbose=0).tolist()
        model.save(DATA / f"{name}.h5")
        if name == "nested":
            model.save(DATA / f"{name}.keras")
    (DATA / "answers.json").write_text(json.dumps(answers, indent=1) + "\n")


if __name__ == "__main__":
    main()
