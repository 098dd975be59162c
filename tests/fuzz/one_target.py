"""One target in a process of its own, by one engine; its last line says what came of it, as JSON.

Run by tests/fuzz/__main__.py, and by hand with a file that fails: python -m tests.fuzz.one_target image FILE
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

SECONDS = 20
"""How long one case may take; then the process ends, which is a defect."""

MEGABYTES = 512


def main(target: str, engine: str, number: int) -> None:
    """Run so many cases."""
    outcomes: Counter[str] = Counter()
    begun = time.monotonic()
    # Beyond what any case may take, so that a defect does not take the machine down.
    resource.setrlimit(resource.RLIMIT_DATA, (8 << 30, 8 << 30))

    def report() -> None:
        peak = _peak()
        assert peak < MEGABYTES, f"{peak} MB"
        seconds = time.monotonic() - begun
        document = {"cases": outcomes.total(), "seconds": seconds, "megabytes": peak, "outcomes": outcomes}
        print(json.dumps(document), flush=True)

    {"hypothesis": _by_hypothesis, "atheris": _by_atheris}[engine](target, number, outcomes, report)


def _by_hypothesis(target: str, number: int, outcomes: Counter[str], report: Callable[[], None]) -> None:
    from hypothesis import HealthCheck, given, settings

    from tests.fuzz.strategies import cases

    one = _case(target, outcomes)

    @settings(max_examples=number, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(cases(target))
    def run(data: bytes) -> None:
        signal.alarm(SECONDS)
        one(data)
        signal.alarm(0)

    run()
    report()


def _by_atheris(target: str, number: int, outcomes: Counter[str], report: Callable[[], None]) -> None:
    import atheris

    with atheris.instrument_imports(include=["edgecnn_runtime", "PIL"]):
        import PIL.BmpImagePlugin
        import PIL.GifImagePlugin
        import PIL.Jpeg2KImagePlugin
        import PIL.JpegImagePlugin
        import PIL.PngImagePlugin
        import PIL.PpmImagePlugin
        import PIL.TiffImagePlugin
        import PIL.WebPImagePlugin  # noqa: F401

        import edgecnn_runtime.image
        import edgecnn_runtime.verify  # noqa: F401
    from tests.fuzz.strategies import seeds

    corpus = Path(tempfile.mkdtemp())
    for index, data in enumerate(seeds(target)):
        (corpus / f"{index}").write_bytes(data)
    one = _case(target, outcomes)
    limits = [f"-timeout={SECONDS}", f"-rss_limit_mb={MEGABYTES}", "-max_len=20000", f"-artifact_prefix=fuzz-{target}-"]

    def counted(data: bytes) -> None:
        one(data)
        if outcomes.total() >= number:
            report()
            os._exit(0)  # libFuzzer has no other way out

    atheris.Setup([sys.argv[0], *limits, "-verbosity=0", str(corpus)], counted)
    atheris.Fuzz()


def _case(target: str, outcomes: Counter[str]) -> Callable[[bytes], None]:
    from tests.fuzz.targets import TARGETS, attempt

    def one(data: bytes) -> None:
        outcomes[attempt(TARGETS[target], data)] += 1

    return one


def _peak() -> int:
    """The largest part of memory that this process has had, in MB."""
    with Path("/proc/self/status").open() as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) // 1000


def again(target: str, file: str) -> None:
    """Run the case in a file."""
    from tests.fuzz.targets import TARGETS, attempt

    print(attempt(TARGETS[target], Path(file).read_bytes()))


if __name__ == "__main__":
    words: list[Any] = sys.argv[1:]
    if len(words) == 3:
        main(words[0], words[1], int(words[2]))
    else:
        again(*words)
