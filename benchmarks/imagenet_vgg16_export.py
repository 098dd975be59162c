"""Memory of a whole export of VGG16: ``python benchmarks/imagenet_vgg16_export.py vgg16.npz photos/ [fp32 ...]``.

Runs ``edgecnn export vgg16`` with the file of weights and the pictures, in int8 or the given precisions, and adds up
the memory of its process and of those that it starts to score the files, five times a second. Linux only. Ends with
status 1 above 10 GB; that the export itself is refused, as it is with random dense layers, is printed and no failure.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

BOUND_GB = 10


def resident(process: int) -> int:
    """Bytes of memory of a process and its descendants; what they share is counted twice."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    own = next((1024 * int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")), 0)
    return own + sum(resident(int(child)) for child in children)


def main(weights: str, pictures: str, *precisions: str) -> int:
    """Measure and print one line; the exit status."""
    with TemporaryDirectory() as folder:
        words = ["export", "vgg16", "--weights", weights, "--calibration", pictures, "--out", folder]
        words += [word for each in precisions or ("int8",) for word in ("--precision", each)]
        begun, peak = time.perf_counter(), 0
        with subprocess.Popen([sys.executable, "-m", "edgecnn", *words]) as process:
            while process.poll() is None:
                peak = max(peak, resident(process.pid))
                time.sleep(0.2)
    print(f"exit status {process.returncode}, {time.perf_counter() - begun:.0f} s, peak {peak / 1e9:.2f} GB in all")
    return int(process.returncode not in (0, 1) or peak > BOUND_GB * 1e9)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
