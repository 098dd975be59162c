"""Labels from a file beside a model, as people and other tools write them."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from edgecnn.data import imagenet
from edgecnn_runtime.errors import DataError, first_line

_NUMBERED = re.compile(r"(\d{1,6})\s+(.+)")

_MOST_TEXT = 10_000_000
"""Characters; the 21,841 names of ImageNet's largest list take 400,000."""


def read(path: Path) -> tuple[str, ...]:
    """Class names in the order of a model's outputs.

    A text file with a name a line, which may be numbered from 0 (Teachable Machine's ``labels.txt``); or JSON: a list,
    ``{"0": "cat", ...}``, or ``{"cat": 0, ...}`` (the ``class_indices`` of Keras's generators). The word ``imagenet``,
    where nothing is called so, stands for ImageNet's 1,000.

    Raises:
        DataError: the file cannot be read, or is none of these.
    """
    if path == Path("imagenet") and not path.exists():
        return imagenet.labels()
    try:
        with path.open(encoding="utf-8-sig") as file:
            text = file.read(_MOST_TEXT + 1)
    except OSError as problem:
        raise DataError(f"the labels {path} cannot be read ({problem.strerror})") from None
    except UnicodeDecodeError:
        raise DataError(f"the labels {path} are not UTF-8 text") from None
    if len(text) > _MOST_TEXT:
        raise DataError(f"{path} is too long to be a list of labels; write one a line")
    names = _of_json(path, text) if text.lstrip().startswith(("[", "{")) else _of_lines(text)
    if "" in names:
        raise DataError(f"{path} has an empty line or name, number {names.index('') + 1}; give each output a name")
    if len(names) < 2:
        raise DataError(f"{path} does not name two labels or more; write one a line, in the order of the outputs")
    if again := [name for name, times in Counter(names).items() if times > 1]:
        raise DataError(f"{path} has the label {again[0]} twice; give each output a name of its own")
    return tuple(names)


def _of_lines(text: str) -> list[str]:
    lines = [line.strip() for line in text.strip().splitlines()]
    numbered = [_NUMBERED.fullmatch(line) for line in lines]
    numbers = [int(match[1]) if match else None for match in numbered]
    return [match[2] for match in numbered if match] if numbers == list(range(len(lines))) else lines


def _of_json(path: Path, text: str) -> list[str]:
    try:
        said: Any = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise DataError(f"the labels {path} are not JSON ({first_line(problem)})") from None
    if isinstance(said, dict) and all(isinstance(value, int) for value in said.values()):
        said = {value: key for key, value in said.items()}
    if isinstance(said, dict):
        said = {str(key): value for key, value in said.items()}
        said = [said.get(str(index)) for index in range(len(said))]
    if not all(isinstance(each, str) for each in said):
        raise DataError(f"the labels {path} are neither a list of names nor names by their numbers from 0")
    return list(said)
