"""What the rest of the program knows of a network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Network:
    """A network that can be built, trained and exported.

    Every network takes RGB pixels 0..255, shape (N, height, width, 3), and gives class probabilities, shape
    (N, classes): normalisation is its first layer and softmax its last.

    Attributes:
        name: name on the command line.
        layers: the network as a function from the tensor of pixels, shape (N, height, width, 3), and a number of
            classes to the tensor of probabilities. Keras is imported inside, so that the names can be listed
            without it.
        height: input height in pixels.
        width: input width in pixels.
        classes: how many classes the published network tells apart.
        parameters: trainable and other weights, with that many classes.
        multiply_adds: of convolutions and dense layers for one image, with that many classes.
        source: where the architecture comes from.
        pretrained: whether ``keras.applications`` has ImageNet weights for it.
        recipe: name of the recipe that trains it from random weights, unless another is asked for.
        auxiliary: adds classifiers that exist in training only: from the built model and the number of classes to
            their tensors of probabilities.
    """

    name: str
    layers: Callable[[Any, int], Any]
    height: int
    width: int
    classes: int
    parameters: int
    multiply_adds: int
    source: str
    pretrained: bool = False
    recipe: str = "default"
    auxiliary: Callable[[keras.Model, int], list[Any]] | None = None

    def build(self, classes: int, height: int | None = None, width: int | None = None) -> keras.Model:
        """The untrained Keras model for so many classes.

        Args:
            classes: number of outputs.
            height: of the pictures it is fed, in pixels; if they are not of the network's own size, they are
                resized inside the graph, so that no program outside has to.
            width: likewise.
        """
        import keras

        size = (height or self.height, width or self.width)
        pixels = keras.Input((*size, 3), name="pixels")
        fitted = pixels
        if size != (self.height, self.width):
            fitted = keras.layers.Resizing(self.height, self.width, name="resize")(pixels)
        return keras.Model(pixels, self.layers(fitted, classes), name=self.name)

    def outline(self, classes: int) -> keras.Model:
        """The model without values in its weights: quick and small however large the network, to be looked at only."""
        import keras

        with keras.StatelessScope(initialize_variables=False):
            return self.build(classes)

    def with_auxiliary(self, model: keras.Model) -> keras.Model:
        """The model as it is trained: the same layers, with the auxiliary classifiers as further outputs."""
        if self.auxiliary is None:
            return model
        import keras

        return keras.Model(model.input, [model.output, *self.auxiliary(model, model.output_shape[-1])])
