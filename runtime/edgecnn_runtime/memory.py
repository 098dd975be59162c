"""How much memory this process has taken."""

from __future__ import annotations

import re
import resource
import sys
from pathlib import Path


def peak() -> int:
    """The most bytes of memory that were resident at once, of this program alone.

    Linux's getrusage counts what the parent had before this program was started in its place, so it is asked only
    elsewhere.
    """
    try:
        found = re.search(r"^VmHWM:\s*(\d+) kB$", Path("/proc/self/status").read_text(), re.MULTILINE)
    except OSError:
        found = None
    if found:
        return 1024 * int(found[1])
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most
