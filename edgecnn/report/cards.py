"""A model card as a part of a page."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markupsafe import Markup

from edgecnn_export.card import card
from edgecnn_export.parity import Exported

_BELOW = 3
"""How many levels the card's headings stand below those of a page of its own."""


def shown(file: Exported) -> Markup:
    """The card of a file, made of its contract as ``edgecnn info --card`` makes it.

    Words of the contract are no markup in a card, and HTML, links and pictures are none here.
    """
    reader = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink"])
    tokens = reader.parse(card(file.contract, file.size))
    for each in tokens:
        if each.type in ("heading_open", "heading_close"):
            each.tag = f"h{min(6, int(each.tag[1]) + _BELOW)}"
        elif each.type == "table_open":
            each.attrSet("class", "plain")
    return Markup(reader.renderer.render(tokens, reader.options, {}))
