"""The moving average of a network's weights, which is often a better network than the last step's.

Tarvainen and Valpola, "Mean teachers are better role models", 2017. The optimizer keeps it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def averaged(optimizer: Any, weights: list[Any]) -> Iterator[None]:
    """Inside, ``weights`` have their average for a value, if the optimizer keeps one."""
    if not optimizer.use_ema:
        yield
        return
    last = [weight.numpy() for weight in weights]
    optimizer.finalize_variable_values(weights)
    try:
        yield
    finally:
        for weight, value in zip(weights, last, strict=True):
            weight.assign(value)
