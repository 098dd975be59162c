"""A camera loop in short; benchmarks/endurance.py runs it a million times."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from edgecnn.models import carried
from edgecnn_runtime.backends import installed

if TYPE_CHECKING:
    from tests.runtime.conftest import Script

ENDURANCE = Path(__file__).parents[2] / "benchmarks" / "endurance.py"


@pytest.mark.speed
@pytest.mark.parametrize("form", ["tflite", "onnx"])
def test_memory_and_open_files_stay_as_they_are(form: str, python: Script) -> None:
    if not (backend := next(iter(installed(form)), None)):
        pytest.skip(f"no interpreter for {form} is installed")
    ended = python(ENDURANCE, "run", carried(form), backend, "4000")
    assert ended.stderr == ""
    rows = [row.strip("| ").split(" | ") for row in ended.stdout.splitlines()]
    assert len(rows) == 10
    kilobytes = [int(row[3].replace(",", "")) for row in rows]
    # A frame has 3 KB, a PNG of it as much: if any of either stayed, it would be ten times this.
    assert kilobytes[-1] - kilobytes[0] < 1000
    assert len({row[5] for row in rows}) == 1
