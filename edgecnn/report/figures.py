"""The figures of a page: drawn as everywhere, and put into the page as SVG in the page's own colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from xml.etree import ElementTree

from markupsafe import Markup

from edgecnn.plots import style

_COLOURS = {
    style.INK: "--ink",
    style.QUIET: "--quiet",
    style.LINES: "--lines",
    style.BLUE: "--blue",
    style.ORANGE: "--orange",
    style.GREEN: "--green",
    style.RED: "--red",
}
"""The variables of the page's style that stand for the figures' colours, by day and by night."""


def inline(name: str, about: str, draw: Callable[[Path], Any]) -> Markup:
    """A figure as a part of a page.

    Args:
        name: by which its parts are told from those of other figures on the page.
        about: what it shows, for those who do not see it.
        draw: writes it to the path that it is given.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.svg")
        with style.on_a_page():
            draw(path)
        root = ElementTree.parse(path).getroot()
    # What it says of its making, and a style that would be the whole page's.
    for each in (*root.findall("{*}metadata"), *root.findall("{*}defs[1]")):
        root.remove(each)
    for each in root.iter():
        each.tag = each.tag.rpartition("}")[2]
        each.attrib = {_local(key): _own(key, value, name) for key, value in each.attrib.items()}
    width = float(root.attrib["viewBox"].split()[2])
    root.attrib = {"viewBox": root.attrib["viewBox"], "role": "img", "aria-label": about, "data-figure": name}
    # As wide as it was drawn, a point for a pixel, and no wider.
    root.set("style", f"width: {width:.0f}px")
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _local(key: str) -> str:
    return key.rpartition("}")[2]


def _own(key: str, value: str, name: str) -> str:
    """An attribute with the page's colours, and with names that no other figure has."""
    if key == "id":
        return f"{name}-{value}"
    if _local(key) == "href" and value.startswith("#"):
        return f"#{name}-{value[1:]}"
    value = value.replace("url(#", f"url(#{name}-")
    if key == "style":
        for colour, variable in _COLOURS.items():
            value = value.replace(colour.lower(), f"var({variable})")
    return value
