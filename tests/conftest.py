"""What holds for every test."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

# As edgecnn.training.keras_backend has it: a test that imports TensorFlow by another way must not change how those
# after it compute, on processors where oneDNN is not TensorFlow's own choice.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--rewrite-pages``, after another model came into the package."""
    parser.addoption("--rewrite-pages", action="store_true", help="write into docs what their commands print")
