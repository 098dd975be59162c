"""A folder that gets all of its new files, or none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from edgecnn_export.placing import place
from edgecnn_runtime.errors import DataError


@contextmanager
def filled(folder: Path) -> Iterator[Path]:
    """A folder to write files into; at the end they move to ``folder``, which is made if need be.

    Raises:
        DataError: ``folder`` cannot be written.
    """
    try:
        # On the same disk, so that the files need only be renamed.
        there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
        with TemporaryDirectory(prefix=".edgecnn-", dir=there) as begun:
            yield Path(begun)
            files = sorted(Path(begun).iterdir())
            folder.mkdir(parents=True, exist_ok=True)
            place([(file, folder / file.name) for file in files])
    except OSError as problem:
        raise DataError(f"{folder} cannot be written ({problem.strerror}); choose another --out") from None
