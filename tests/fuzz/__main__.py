"""Fuzz every target: random and structured cases by hypothesis, then more that coverage leads to, by atheris.

    python -m tests.fuzz [CASES]

CASES is how many of the second kind a target gets, 100,000 unless said, and a tenth of that of the first. Where atheris
does not install, hypothesis makes all of them. A defect ends it; atheris leaves the case in a file in this folder.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

from tests.fuzz.targets import TARGETS


def main(number: int) -> None:
    """Fuzz, and print a table."""
    engines = {"hypothesis": number // 10, "atheris": number}
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: hypothesis makes all cases, and nothing follows coverage", file=sys.stderr)
        engines = {"hypothesis": number}
    print("| target | engine | cases | answered | refused | seconds | memory |\n|---|---|---|---|---|---|---|")
    for target in TARGETS:
        for engine, cases in engines.items():
            command = [sys.executable, "-m", "tests.fuzz.one_target", target, engine, str(cases)]
            ended = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
            if ended.returncode:
                sys.exit(f"{ended.stdout}{ended.stderr}\n{target}, {engine}: status {ended.returncode}")
            result = json.loads(ended.stdout.splitlines()[-1])
            refused = result["outcomes"].get("refused", 0)
            print(
                f"| {target} | {engine} | {result['cases']:,} | {result['cases'] - refused:,} | {refused:,} "
                f"| {result['seconds']:.0f} | {result['megabytes']} MB |",
                flush=True,
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
