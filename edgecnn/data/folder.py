"""Where data sets are kept, and what is made of them."""

from __future__ import annotations

import os
from pathlib import Path

from edgecnn_runtime.errors import DataError


def data_folder(given: Path | None = None) -> Path:
    """The folder that holds the data sets: the one given, else ``$EDGECNN_DATA``, else in the user's cache.

    Raises:
        DataError: no folder is named, and platformdirs, which knows the user's cache, is not installed.
    """
    if given is not None:
        return given
    if named := os.environ.get("EDGECNN_DATA"):
        return Path(named)
    try:
        from platformdirs import user_cache_path
    except ModuleNotFoundError as problem:
        raise DataError("no data folder: set EDGECNN_DATA, or run: pip install platformdirs") from problem
    return user_cache_path("edgecnn")
