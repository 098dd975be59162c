"""Where the ``edgecnn`` script begins: Ctrl-C is one line from the first import on."""

from __future__ import annotations

import os


def main() -> None:
    """Entry point of the ``edgecnn`` script."""
    try:
        from edgecnn.cli.main import main as run
    except KeyboardInterrupt:
        os.write(2, b"error: interrupted\n")
        os._exit(130)
    run()
