"""A page, read as a browser reads it: tags, attributes, and the text and tables of each section."""

from __future__ import annotations

import base64
from collections import defaultdict
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image


class Page(HTMLParser):
    """What is on a page.

    Attributes:
        path: of the page.
        tags: every tag with its attributes, in order.
        text: what can be read in each section, by its id, words apart by single spaces.
        rows: of all tables in each section, each a list of its cells.
        pictures: addresses in each section.
        figures: names of the drawn figures in each section.
    """

    def __init__(self, path: Path) -> None:
        """Read the whole page."""
        super().__init__()
        self.path = path
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.rows: dict[str, list[list[str]]] = defaultdict(list)
        self.pictures: dict[str, list[str]] = defaultdict(list)
        self.figures: dict[str, list[str]] = defaultdict(list)
        self._words: dict[str, list[str]] = defaultdict(list)
        self._sections = [""]
        self._cell = self._style = False
        self.feed(path.read_text(encoding="utf-8"))
        self.text = {key: " ".join(" ".join(words).split()) for key, words in self._words.items()}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {key: value or "" for key, value in attrs}
        self.tags.append((tag, found))
        here = self._sections[-1]
        if tag == "section":
            self._sections.append(found.get("id", ""))
        elif tag == "tr":
            self.rows[here].append([])
        elif tag in ("td", "th"):
            self.rows[here][-1].append("")
            self._cell = True
        elif tag == "img":
            self.pictures[here].append(found["src"])
        elif tag == "svg":
            self.figures[here].append(found["data-figure"])
        self._style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        if tag == "section":
            self._sections.pop()
        elif tag in ("td", "th"):
            self._cell = False
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            return
        for section in self._sections:
            self._words[section].append(data)
        if self._cell:
            row = self.rows[self._sections[-1]][-1]
            row[-1] = f"{row[-1]} {data.strip()}".strip()


def pixels(address: str) -> Any:
    """The pixels of a picture that is its own address."""
    kind, _, text = address.partition(",")
    assert kind == "data:image/webp;base64"
    return np.asarray(Image.open(BytesIO(base64.b64decode(text))).convert("RGB"))
