"""When 8 bits lose too much: keep the fewest layers that must be kept in float.

The order in which layers are tried comes from each one's own error (TensorFlow's QuantizationDebugger, onnxruntime's
qdq_loss_debug); what decides is the accuracy on the calibration images, so that none of the images that the file is
proved on has a part in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgecnn_export.operators import Int8, ranked, readers

Passes = Callable[[bytes], bool]


def kept_in_float(network: Int8, errors: dict[str, float], passes: Passes) -> Iterator[frozenset[str]]:
    """Sets of operators with which the file passes, small ones first, none twice, and never all of them.

    Args:
        network: calibrated.
        errors: of its operators, as :meth:`edgecnn_export.operators.Int8.errors` gives them.
        passes: whether a file is good enough.
    """
    order = list(ranked(network.operators, errors))
    given: set[frozenset[str]] = set()
    for count in _doubling(len(order)):
        # An output with a bad range is no better for being computed in float if the next layer reads it in 8 bits.
        wanted = frozenset().union(*({each} | readers(network.operators, each) for each in order[:count]))
        if wanted in given or not passes(network.convert(wanted)):
            continue
        for kept in (_fewest(network, wanted, order, passes), wanted):
            if kept not in given and len(kept) < len(order):
                given.add(kept)
                yield kept


def _fewest(network: Int8, kept: frozenset[str], order: list[str], passes: Passes) -> frozenset[str]:
    """Without those that are not needed, the least suspicious tried first."""
    for each in reversed(order):
        if each in kept and len(kept) > 1 and passes(network.convert(kept - {each})):
            kept -= {each}
    return kept


def _doubling(most: int) -> Iterator[int]:
    count = 1
    while count < most:
        yield count
        count *= 2
    yield most
