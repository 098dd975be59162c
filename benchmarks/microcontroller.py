"""Run the C sources of ``edgecnn export --format c`` in TensorFlow Lite for Microcontrollers, on this machine.

The model, the golden image and its answer are read out of the ``.c`` file; the interpreter is TFLM's own, with its
reference kernels, from the package ``tflite-micro``. Nothing else of edgecnn needs it; it is best installed apart:

    python -m venv tflm && tflm/bin/pip install tflite-micro
    tflm/bin/python benchmarks/microcontroller.py demo/models/baseline_int8.c 2> tflm.log

Standard error has TFLM's own words on every arena that was too small. Prints the arena that the header asks for, the
smallest one that works, found by bisection, and the largest difference from the golden output, in steps.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tflite_micro.python.tflite_micro import runtime

MOST = 1 << 28


def array(source: str, name: str) -> npt.NDArray[np.uint8]:
    """The bytes of a C array whose name ends so."""
    found = re.search(rf"const uint8_t \w+_{name}\[\w+\] = {{(.*?)}};", source, re.DOTALL)
    assert found, name
    return np.array([int(each, 16) for each in found[1].split(",")], np.uint8)


def answer(model: bytes, arena: int, pixels: npt.NDArray[np.uint8]) -> Any:
    """The quantized output, or None if the arena is too small."""
    try:
        interpreter = runtime.Interpreter.from_bytes(model, arena_size=arena)
        interpreter.set_input(pixels.reshape(interpreter.get_input_details(0)["shape"]), 0)
        interpreter.invoke()
        return interpreter.get_output(0)[0].copy()
    except RuntimeError:
        return None


def smallest(model: bytes, pixels: npt.NDArray[np.uint8]) -> int:
    """The smallest arena that works, in bytes, to 16."""
    too_small, enough = 0, MOST
    while enough - too_small > 16:
        middle = (too_small + enough) // 2
        if answer(model, middle, pixels) is None:
            too_small = middle
        else:
            enough = middle
    return enough


def main() -> None:
    """Print one line a file."""
    print(f"{'source':32}  arena, header  arena, needed  difference")
    for path in map(Path, sys.argv[1:]):
        source, header = path.read_text(), path.with_suffix(".h").read_text()
        model = array(source, "model").tobytes()
        pixels, expected = array(source, "golden_input"), array(source, "golden_output")
        promised = int(re.findall(r"_ARENA_BYTES (\d+)", header)[0])
        got = answer(model, promised, pixels)
        difference = "too small" if got is None else np.abs(got.astype(int) - expected).max()
        print(f"{path.name:32}  {promised:13,}  {smallest(model, pixels):13,}  {difference:>10}", flush=True)


if __name__ == "__main__":
    main()
