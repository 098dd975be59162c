"""An int8 TFLite file as C: a header and a source for TensorFlow Lite for Microcontrollers.

They hold the model itself, its labels, what a program needs to run it (:mod:`edgecnn_export.microcontroller`), and one
real image with the answer that is to be expected.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from edgecnn_export import c_templates, microcontroller
from edgecnn_export.c_text import array, comment, comment_lines, identifier, literal
from edgecnn_export.placing import place, remove
from edgecnn_runtime import container, sheet
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.errors import ExportError

# So much more probable is the golden image's first class: kernels that round otherwise do not change the order.
_LEAD = 0.25


def write(model: Path) -> list[Path]:
    """Write ``NAME_int8.h`` and ``NAME_int8.c`` beside an int8 TFLite file that ``edgecnn export`` wrote; both or none.

    Returns:
        The two files.

    Raises:
        ModelFileError: the file is missing, damaged, or was not written by edgecnn.
        ExportError: it is not int8 TFLite, has an operator that TFLM has not, or a label that C cannot hold.
        OSError: a file cannot be written.
    """
    contract, whole = container.read(model)
    if (contract.format, contract.precision) != ("tflite", "int8") or contract.golden is None:
        raise ExportError(f"{model.name} is {contract.precision} {contract.format}; C is made of int8 TFLite files")
    prefix = f"{identifier(contract.model)}_int8"
    words = _words(model, prefix, contract, whole[: container.parse(whole)[1]])
    templates = {f"{prefix}.h": c_templates.HEADER, f"{prefix}.c": c_templates.SOURCE}
    pairs = [(model.with_name(f".{name}.tmp"), model.with_name(name)) for name in templates]
    try:
        for temporary, target in pairs:
            temporary.write_text(templates[target.name].substitute(words), encoding="ascii")
        place(pairs)
    finally:
        for temporary, _ in pairs:
            remove(temporary)
    return [target for _, target in pairs]


def _words(model: Path, prefix: str, contract: Contract, payload: bytes) -> dict[str, Any]:
    needs = microcontroller.needs(payload)
    golden = _golden(contract, needs.output)
    spec = contract.input
    return {
        "prefix": prefix,
        "PREFIX": prefix.upper(),
        "model": comment(contract.model),
        "version": comment(contract.tools["edgecnn"]),
        "file": comment(model.name),
        "sha256": contract.payload_sha256,
        "images": contract.parity["images"],
        "data": comment(contract.parity["data"]),
        "proof": comment_lines(map(_proof, contract.parity["results"])),
        "export": f"0x{hashlib.sha256(contract.to_json().encode()).hexdigest()[:8]}UL",
        "height": spec.height,
        "width": spec.width,
        "input_bytes": spec.height * spec.width * 3,
        "input_scale": f"{needs.input.scale!r}f",
        "input_zero_point": needs.input.zero_point,
        "classes": len(contract.labels),
        "output_scale": f"{needs.output.scale!r}f",
        "output_zero_point": needs.output.zero_point,
        "arena": needs.arena,
        "operators": len(needs.operators),
        "add_operators": "\n".join(f"        (resolver).{method}(); \\" for method in needs.operators),
        "model_bytes": len(payload),
        "model_array": array(payload),
        "labels": ",\n".join(f"    {literal(label)}" for label in contract.labels),
        "golden_label": int(golden.output.argmax()),
        "golden_input": array(golden.image.tobytes()),
        "golden_output": array(golden.output.tobytes()),
        "golden_differences": comment_lines(golden.differences),
        "golden_count": contract.golden.count if contract.golden else 0,
        "golden_spread": golden.spread,
    }


def _proof(row: dict[str, Any]) -> str:
    accuracy = "" if row["accuracy"] is None else f"accuracy {row['accuracy']:.2%} ({row['change']:+.2f} points), "
    return f"{row['backend']}: {accuracy}agreement {row['agreement']:.2%}"


class _Golden(NamedTuple):
    """An image and what the interpreters make of it.

    Attributes:
        image: uint8, shape (height, width, 3).
        output: the answer of the first interpreter, uint8, shape (classes,).
        differences: how far each interpreter is from it, in words.
        spread: largest difference between interpreters over all golden images of the file, in steps.
    """

    image: Any
    output: Any
    differences: list[str]
    spread: int


def _golden(contract: Contract, quantization: microcontroller.Quantization) -> _Golden:
    """The one of the file's golden images that says most.

    All interpreters give the same bytes for it, if they do for any, and Keras's label. Of those whose first class is
    clearly ahead of the second it is the least certain, for 255 and zeros would tell little.
    """
    assert contract.golden is not None
    count, spec = contract.golden.count, contract.input
    images = sheet.unpack_text(contract.golden.images, count, spec.height, spec.width)
    real = np.array(list(contract.golden.exported.values()), np.float32)
    outputs = np.rint(real / quantization.scale + quantization.zero_point).astype(np.uint8)
    spread = np.ptp(outputs.astype(int), axis=0).max(-1)
    other = (outputs.argmax(-1) != np.argmax(contract.golden.reference, -1)).any(0)
    second, first = np.sort(real[0])[:, -2:].T
    lead = first - second
    chosen = min(range(count), key=lambda i: (spread[i], other[i], lead[i] < _LEAD, lead[i]))
    differences = np.abs(outputs[:, chosen].astype(int) - outputs[0, chosen]).max(-1)
    return _Golden(
        images[chosen],
        outputs[0, chosen],
        [f"{each}: {difference}" for each, difference in zip(contract.golden.exported, differences, strict=True)],
        int(spread.max()),
    )
