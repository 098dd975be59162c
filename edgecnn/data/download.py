"""HTTP downloads that go on where they broke off."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from edgecnn_runtime.errors import DataError

# Called with the bytes that are there and, where it is known, how many there will be.
Progress = Callable[[int, int | None], None]

ATTEMPTS = 5
PAUSE_SECONDS = 2.0
_SILENCE_SECONDS = 30.0
_BLOCK = 256 * 1024


class UnreachableError(DataError):
    """A site did not answer, or did not give the file."""


class _BrokenOffError(Exception):
    """The connection ended before the file did."""


def download(url: str, target: Path, progress: Progress) -> None:
    """Fetch ``url`` into ``target``, whose folder exists.

    What has arrived stands in ``TARGET.part``, beside ``TARGET.part.version`` with the server's name for this
    version of the file (its ETag, RFC 9110 section 8.8.3). A later call asks for the rest of the same version
    (Range and If-Range, sections 14.2 and 13.1.5); when the whole file comes instead, it begins anew.

    Raises:
        UnreachableError: the site cannot be reached or refuses.
        DataError: the connection kept breaking off; another call continues.
        OSError: the folder cannot be written.
    """
    part = target.with_name(f"{target.name}.part")
    version = part.with_name(f"{part.name}.version")
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        try:
            _continue(url, part, version, progress)
        except _BrokenOffError:
            continue
        part.replace(target)
        version.unlink(missing_ok=True)
        return
    raise DataError(f"{url} broke off {ATTEMPTS} times; run the command again to continue")


def _continue(url: str, part: Path, version: Path, progress: Progress) -> None:
    start = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "edgecnn"}
    if start:
        headers["Range"] = f"bytes={start}-"
        if version.exists():
            headers["If-Range"] = version.read_text()
    try:
        response = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_SILENCE_SECONDS)
    except urllib.error.HTTPError as problem:
        problem.close()
        if not (start and problem.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE):
            raise UnreachableError(f"{url} answers {problem.code} {problem.reason}") from problem
        if problem.headers.get("Content-Range") == f"bytes */{start}":
            return  # everything had arrived before
        part.unlink()
        raise _BrokenOffError from problem
    except (OSError, http.client.HTTPException) as problem:
        reason = getattr(problem, "reason", problem)
        raise UnreachableError(f"{url} cannot be reached ({reason})") from problem
    with response:
        if response.status == http.HTTPStatus.PARTIAL_CONTENT:
            if not response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
                part.unlink(missing_ok=True)
                raise _BrokenOffError
        else:
            start = 0
        _remember(version, response)
        _append(response, part, start, progress)


def _remember(version: Path, response: http.client.HTTPResponse) -> None:
    tag = response.headers.get("ETag", "")
    # Only a strong tag promises equal bytes, and If-Range takes no other.
    if tag.startswith('"'):
        version.write_text(tag)
    else:
        version.unlink(missing_ok=True)


def _append(response: http.client.HTTPResponse, part: Path, start: int, progress: Progress) -> None:
    length = response.headers.get("Content-Length")
    total = start + int(length) if length else None
    done = start
    with part.open("ab") as file:
        file.truncate(start)
        while True:
            try:
                block = response.read1(_BLOCK)
            except (OSError, http.client.HTTPException) as problem:
                raise _BrokenOffError from problem
            if not block:
                break
            file.write(block)
            done += len(block)
            progress(done, total)
    if total is not None and done < total:
        raise _BrokenOffError
