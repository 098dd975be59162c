"""How far an answer may be from the one seen at export. docs/verify.md has the measurements behind the figures."""

from __future__ import annotations

import platform

from edgecnn_runtime.contract import Contract
from edgecnn_runtime.machine import this_machine

_STEP = 1 / 256
TOLERANCES = {
    "fp32": (1e-4, 5e-4),
    "fp16": (1e-4, 1 / 32),
    "dynamic": (_STEP, 1 / 16),
    "int16x8": (_STEP, 1 / 16),
    "int8": (_STEP, 1 / 8),
}
"""Largest difference of a probability by precision, where the code that computes is the same as at export, and where it
is not.

The same code gave the same answers to the bit, or one step of TFLite's uint8 output beside it. Other code: float sums
in another order make 2e-6, and tanh on 32-bit ARM 1.1e-4; onnxruntime computes fp16 in half precision where the
processor can, 9e-3; with ``dynamic``, ranges are floats, and activations fall on the step beside, 1.4e-2; in int8,
tflite-runtime rounds the products of a layer twice where LiteRT rounds them once, and additions round otherwise on
ARM, which adds up to 0.10 in a deep network; 16-bit values differ by 1.2e-4 between the two TFLite interpreters. What
is really wrong is further off: the 16-bit overflow that export avoids makes 0.29 in sixteen pictures."""

_PORTABLE = {("litert", "int8"), ("litert", "fp16"), ("tflite-runtime", "fp16")}
"""The same on ARM as on x86-64."""


def tolerance(contract: Contract, backend: str, answers_of: str) -> float:
    """Largest difference of a probability that is no fault of this machine.

    Args:
        contract: of the file.
        backend: name of the interpreter here.
        answers_of: name of the interpreter that gave the answers at export.
    """
    library = library_of(backend)
    same_arithmetic = (library, contract.precision) in _PORTABLE or (
        contract.tools.get("machine") == platform.machine() == "x86_64" and _has_avx2()
    )
    return TOLERANCES[contract.precision][0 if same_arithmetic and library == library_of(answers_of) else 1]


def _has_avx2() -> bool:
    """Whether this is a PC whose instructions make no difference: those from AVX2 (2013) to AVX-512 and VNNI do not.

    Older ones do, and ARM's processors differ among themselves.
    """
    return "AVX2" in this_machine().features


def library_of(backend: str) -> str:
    """An interpreter's name without its version."""
    return backend.partition(" ")[0]
