"""The 1,000 classes of ImageNet's challenge of 2012, in the order of every network that Keras has weights for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from edgecnn_runtime.contract import InputSpec

# One line a class, in the order of the outputs: WordNet id and name, as in Keras's imagenet_class_index.json.
_TABLE = Path(__file__).with_name("imagenet_classes.txt")


class ImageNetClass(NamedTuple):
    """One class.

    Attributes:
        wordnet_id: of its synset in WordNet 3.0, for instance ``n02129165``.
        name: its first word there, as Keras prints it, for instance ``lion``.
    """

    wordnet_id: str
    name: str


def classes() -> tuple[ImageNetClass, ...]:
    """The classes; a class's index is its place."""
    lines = _TABLE.read_text("utf-8").splitlines()
    return tuple(ImageNetClass(*line.split(" ", 1)) for line in lines)


def labels() -> tuple[str, ...]:
    """A readable and unambiguous name for each class.

    Underscores are spaces. ImageNet has two cranes (a bird and a machine), two cardigans (a dog and a jacket) and two
    maillots: their WordNet id follows.
    """
    table = classes()
    often = Counter(each.name.lower() for each in table)
    return tuple(
        each.name.replace("_", " ") + (f" ({each.wordnet_id})" if often[each.name.lower()] > 1 else "")
        for each in table
    )


def input_spec(height: int, width: int) -> InputSpec:
    """How a picture becomes the input of a network with ImageNet weights.

    The whole picture is stretched, as ``keras.utils.load_img(path, target_size=...)`` does, so that nothing at its
    edges is lost. The filter is bilinear and not Keras's nearest, which skips pixels of a larger picture.
    """
    return InputSpec(height, width, filter="bilinear", fit="stretch")
