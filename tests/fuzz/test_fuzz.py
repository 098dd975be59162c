"""A few cases of each kind of fuzzing; `make fuzz` runs many."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("hypothesis")

from hypothesis import HealthCheck, given, settings

from tests.fuzz.strategies import cases, seeds
from tests.fuzz.targets import TARGETS, attempt


@pytest.mark.parametrize("name", TARGETS)
def test_a_hundred_cases(name: str) -> None:
    @settings(max_examples=100, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(cases(name))
    def run(data: bytes) -> None:
        attempt(TARGETS[name], data)

    run()


@pytest.mark.parametrize("name", TARGETS)
def test_sound_files_are_answered(name: str) -> None:
    """Otherwise nothing behind the first check would be reached."""
    assert {attempt(TARGETS[name], data) for data in seeds(name)} > {"refused"}


def test_both_engines_report() -> None:
    pytest.importorskip("atheris")
    command = [sys.executable, "-m", "tests.fuzz", "50"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    rows = ended.stdout.splitlines()[2:]
    assert [row.split(" | ")[1:3] for row in rows] == [["hypothesis", "5"], ["atheris", "50"]] * 3
