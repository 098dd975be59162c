"""What is said of figures, here made up so that int8 does not pay."""

from __future__ import annotations

import pytest

from edgecnn.cli.benchmark_report import show_costs
from edgecnn_runtime.machine import Machine
from tests.edgecnn.test_tradeoffs import choice

PI = Machine(
    "Linux 6.12", "aarch64", "Cortex-A72", ("NEON",), 4, None, None, "glibc 2.36", "3.11.2", "/usr/bin/python3"
)


def said(capsys: pytest.CaptureFixture[str], accuracies: tuple[float | None, float | None]) -> list[str]:
    choices = [
        choice("net-int8.tflite", 3.0, accuracies[0], size=1000),
        choice("net-fp32.tflite", 2.0, accuracies[1], size=4000, threads=2),
    ]
    show_costs(PI, choices, 3)
    first, _, _, _, _, *lines = capsys.readouterr().out.splitlines()
    assert first == "Cortex-A72, 4 cores, Python 3.11.2; 3 rounds"
    return lines


SLOWER = (
    "int8 is slower than float here in litert 2: net-int8.tflite takes 3.000 ms, net-fp32.tflite 2.000 ms "
    "(1.50 times as long)"
)


def test_with_accuracy(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, (0.9, 0.89)) == [
        SLOWER,
        "best trade-offs of accuracy and latency, the fastest first:",
        "  net-fp32.tflite in litert 2, 2 threads: 2.000 ms, 89.00%",
        "  net-int8.tflite in litert 2, 1 thread: 3.000 ms, 90.00% (+1.00 points for 1.50 times the latency)",
    ]


def test_without_accuracy(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, (None, None)) == [
        SLOWER,
        "best trade-offs of size and latency, the fastest first:",
        "  net-fp32.tflite in litert 2, 2 threads: 2.000 ms, 4.0 kB",
        "  net-int8.tflite in litert 2, 1 thread: 3.000 ms, 1.0 kB (4.00 times smaller for 1.50 times the latency)",
    ]
