"""Before a command that ends with a figure begins."""

from __future__ import annotations

from importlib.util import find_spec

from edgecnn_runtime.errors import DataError


def require_matplotlib(option: str) -> None:
    """See that a figure can be drawn before anything is measured for it.

    Raises:
        DataError: matplotlib is not installed; ``option`` asked for the figure.
    """
    if not find_spec("matplotlib"):
        raise DataError(f"{option} needs matplotlib; install it with: pip install matplotlib")
