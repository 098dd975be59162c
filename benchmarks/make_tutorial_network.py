"""Write a network as a notebook would: ``python benchmarks/make_tutorial_network.py cifar.h5``.

The layers are those of TensorFlow's tutorial on convolutional networks, which ends in logits and divides pixels by 255
before the network sees them. Three epochs on 15,000 training images of CIFAR-10: some ten seconds.
"""

from __future__ import annotations

import sys

IMAGES, EPOCHS, SEED = 15_000, 3, 1


def main(target: str) -> None:
    """Train and save, by Keras alone."""
    from edgecnn.data import cifar10
    from edgecnn.training import keras_backend

    keras_backend.choose()
    import keras
    from keras import layers

    keras.utils.set_random_seed(SEED)
    model = keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    train = cifar10.load().train
    model.fit(train.images[:IMAGES] / 255, train.labels[:IMAGES], batch_size=64, epochs=EPOCHS, verbose=0)
    model.save(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
