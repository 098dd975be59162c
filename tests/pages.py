"""A page of docs: its commands, what it says that they print, and its pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


class Example(NamedTuple):
    """A command of a page.

    Attributes:
        command: as it stands there.
        shown: what it is said to print; ``...`` is a line for any number of them.
    """

    command: str
    shown: str


def examples(page: str) -> list[Example]:
    """Every command behind a ``$`` in a ``console`` block."""
    blocks = re.findall(r"```console\n(.*?)```", page, re.DOTALL)
    each = [text for block in blocks for text in re.split(r"^\$ ", block, flags=re.MULTILINE) if text]
    return [Example(command, shown.strip()) for command, _, shown in (text.partition("\n") for text in each)]


def rewrite(page: Path, example: Example, printed: str) -> None:
    """Have the page say what the command printed; where it leaves lines out, it stays as it is."""
    if "..." in example.shown.splitlines():
        return
    text = page.read_text()
    before, after = (f"$ {example.command}\n{shown}".strip() for shown in (example.shown, printed.strip()))
    assert text.count(f"{before}\n") == 1
    page.write_text(text.replace(f"{before}\n", f"{after}\n"))


def pictures(page: str) -> list[Path]:
    """The files that the page shows as pictures."""
    return [DOCS / name for name in re.findall(r"!\[[^]]+\]\((pictures/[\w.-]+)\)", page)]


def without_numbers(text: str) -> list[str]:
    """Lines without their numbers and widths, which are the machine's."""
    return [re.sub(r"[-+]?\d[\d.,]*", "0", " ".join(line.split())) for line in text.strip().splitlines()]


def without_scores(text: str) -> list[str]:
    """Lines without the probabilities, and the labels behind the first, which are the machine's."""
    return [re.sub(r" [\d.]+%.*", "", line) for line in text.strip().splitlines()]


def agree(printed: list[str], shown: list[str]) -> bool:
    """Whether the lines are those of the page, which may leave some out by ``...``."""
    pattern = "".join(r"(.*\n)*" if line == "..." else re.escape(f"{line}\n") for line in shown)
    return bool(re.fullmatch(pattern, "".join(f"{line}\n" for line in printed)))
