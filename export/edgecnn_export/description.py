"""What an exported file says of itself to other programs, in words; each format has its own place for them."""

from __future__ import annotations

from importlib import metadata
from typing import NamedTuple

from edgecnn_export.keras_file import About

INPUT = "RGB pixels 0..255 as they are: the normalisation is in the network"
OUTPUT = "probability of each class, in the order of the labels"


class Description(NamedTuple):
    """The words.

    Attributes:
        name: network and precision, as in the name of the file.
        text: one sentence.
        generator: the program that wrote the file.
        version: of that program.
        author: of the model; empty where nobody said.
        license: likewise.
    """

    name: str
    text: str
    generator: str
    version: str
    author: str
    license: str


def describe(about: About, precision: str) -> Description:
    """The words for one file."""
    size = f"{about.input.width} x {about.input.height}"
    text = f"{about.name} in {precision}: classifies images of {size} pixels into {len(about.labels)} classes"
    # What a terminal in another encoding gave cannot be written as it is.
    author, licence = (each.encode("utf-8", "replace").decode() for each in (about.author, about.license))
    return Description(f"{about.name}-{precision}", text, "edgecnn", metadata.version("edgecnn"), author, licence)
