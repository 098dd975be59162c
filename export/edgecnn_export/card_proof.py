"""The part of a model card with figures: accuracy, the comparison in every interpreter, calibration, speed.

A contract is anybody's JSON: what is not there as expected is said to be not known.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from edgecnn_export.markdown import table, text
from edgecnn_runtime.contract import Contract

UNKNOWN = "not known"
_Result = dict[str, Any]


def results_of(contract: Contract) -> list[_Result]:
    """The comparisons, one an interpreter."""
    return [each for each in items(contract.parity.get("results")) if isinstance(each, dict)]


def accuracy(parity: dict[str, Any], results: list[_Result]) -> Iterator[str]:
    """What the Keras model and the file get right, or that this is not known."""
    images, data = _count(parity.get("images")), text(parity.get("data", UNKNOWN))
    if parity.get("reference_accuracy") is None:
        yield (
            f"Not known: the labels of the {images} images of {data} that it was compared on are not known. Only the "
            "agreement with the Keras model was measured; whether both are right was not."
        )
        return
    yield (
        f"Measured on {images} images of {data} (SHA-256 {text(parity.get('fingerprint'))}). The Keras model gets "
        f"{share(parity.get('reference_accuracy'))} of them right, and this file:"
    )
    head = ("interpreter", "accuracy", "change, points", "95 % interval of the change")
    yield table(
        head,
        (
            (text(each.get("backend")), share(each.get("accuracy")), _points(each.get("change")), _interval(each))
            for each in results
        ),
    )
    yield (
        "The change is against the Keras model on the same images; its interval is Agresti and Min's for paired "
        "proportions (2005)."
    )
    if losses := [text(f"{each.get('backend')}: {worst}") for each in results if (worst := _worst(each))]:
        yield f"Classes that lose most against the Keras model, in points: {'; '.join(losses)}."


def _worst(result: _Result) -> str:
    classes = result.get("worst_classes")
    lost = classes.items() if isinstance(classes, dict) else ()
    return ", ".join(f"{name} {_number(points, '-{:.2f}')}" for name, points in lost)


def proof(contract: Contract, results: list[_Result]) -> Iterator[str]:
    """Every check in every interpreter, the calibration, and what is kept in float."""
    yield (
        f"The file was run in every interpreter below on {_count(contract.parity.get('images'))} images of "
        f"{text(contract.parity.get('data', UNKNOWN))} and compared with the Keras model."
    )
    yield table(("interpreter", "check", "measured", "allowed", "verdict"), _checks(results))
    yield (
        "Names and shapes are those of input and output; values are the probabilities, whose largest difference is "
        "given; labels and agreement are about the most probable label. A loss of accuracy whose interval holds zero "
        "may be chance, and passes."
    )
    if contract.calibration:
        seen = contract.calibration
        yield (
            f"Calibration: the ranges of the integers come from {_count(seen.get('images'))} images of "
            f"{text(seen.get('data'))} (SHA-256 {text(seen.get('fingerprint'))}; method: {text(seen.get('method'))}). "
            "Export refuses images that are among those it compares on."
        )
    else:
        yield "Calibration: none; the precision needs none."
    if contract.rescue:
        yield _rescue(contract.rescue)


def _checks(results: list[_Result]) -> Iterator[tuple[str, ...]]:
    for each in results:
        backend = text(each.get("backend"))
        yield backend, "agreement", f"same top label on {share(each.get('agreement'))}", "", ""
        for check in items(each.get("checks")):
            if isinstance(check, dict):
                told = (text(check.get(name, "")) for name in ("name", "measured", "allowed"))
                yield backend, *told, "passed" if check.get("passed") is True else "FAILED"


def _rescue(rescue: dict[str, Any]) -> str:
    layers = ", ".join(map(str, items(rescue.get("kept")))) or UNKNOWN
    return (
        f"Kept in float ({text(rescue.get('precision'))}): {text(layers)}. "
        f"Why: wholly in 8 bits the file was refused, {text(rescue.get('because'))}. It takes "
        f"{_count(rescue.get('bytes'))} bytes instead of {_count(rescue.get('int8_bytes'))}."
    )


def speed(contract: Contract, size: int, results: list[_Result]) -> Iterator[str]:
    """The latency seen at export, and on what machine."""
    tools = contract.tools
    machine = text(" ".join(str(tools[name]) for name in ("processor", "machine") if name in tools)) or UNKNOWN
    yield (
        f"{size:,} bytes. Median time for one picture on one thread, without decoding it, at export on a machine with "
        f"the processor {machine}:"
    )
    yield table(
        ("interpreter", "ms"), ((text(each.get("backend")), _number(each.get("latency"), "{:.3f}")) for each in results)
    )
    yield "Another machine is faster or slower: measure there."


def _interval(result: _Result) -> str:
    return " to ".join(map(_points, items(result.get("interval")))) or UNKNOWN


def items(value: object) -> Sequence[Any]:
    """A list, which is a tuple before it has been written and read."""
    return value if isinstance(value, list | tuple) else ()


def share(value: object) -> str:
    """A share, 0 to 1, in per cent."""
    return _number(value, "{:.2%}")


def _points(value: object) -> str:
    return _number(value, "{:+.2f}")


def _count(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else UNKNOWN


def _number(value: object, shown: str) -> str:
    return shown.format(value) if isinstance(value, float) else UNKNOWN
