"""Which pictures the words of ``edgecnn classify`` mean, and where they write others."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from edgecnn_runtime.errors import UsageError

if TYPE_CHECKING:
    from edgecnn_runtime.annotate import Folder
    from edgecnn_runtime.sources import Source


def asked(images: list[str], recursive: bool, listing: str | None, camera: int | None, watch: str | None) -> Source:
    """All that is named: first what is there, then what comes.

    Raises:
        UsageError: nothing is named, or what cannot go together.
        ImageError: the watched folder cannot be read.
    """
    from edgecnn_runtime.sources import joined

    if camera is not None and watch is not None:
        raise UsageError("--camera and --watch both go on for ever; start a process for each")
    if [*images, listing].count("-") > 1:
        raise UsageError("standard input can be read only once; name one - at most")
    sources = []
    if watch is not None:
        from edgecnn_runtime.sources.watch import watched

        # It notes what is there before anything else looks, so that no picture falls between the two.
        sources.append(watched(watch, recursive))
    if camera is not None:
        from edgecnn_runtime.sources.camera import camera as frames

        sources.append(frames(camera))
    if listing is not None:
        from edgecnn_runtime.sources.listing import listed

        sources.insert(0, listed(listing))
    if images:
        from edgecnn_runtime.sources.named import named

        sources.insert(0, named(images, recursive))
    if not sources:
        raise UsageError("nothing to classify; name pictures or a folder, or --from, --camera or --watch")
    return joined(sources)


def output_folder(annotate: str | None, watch: str | None, recursive: bool) -> Folder | None:
    """The folder for pictures with their label on them.

    Raises:
        UsageError: it cannot be made, or it is watched, so that each such picture would be another one to classify.
    """
    if annotate is None:
        return None
    if watch is not None:
        # Path.resolve() fails at a link that leads in a circle.
        written, seen = Path(os.path.realpath(annotate)), Path(os.path.realpath(watch))
        if written == seen or (recursive and written.is_relative_to(seen)):
            raise UsageError(f"--annotate {annotate} writes into the folder that --watch looks at; name another")
    from edgecnn_runtime.annotate import Folder

    return Folder(annotate)
