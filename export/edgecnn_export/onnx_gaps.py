"""What Keras makes of some layers that tf2onnx cannot convert by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


def _erfc(graph: Any, node: Any, name: str, _: Any) -> None:
    """The complementary error function, of which TensorFlow makes GELU and ONNX has only the other half."""
    import numpy as np

    node.type = "Erf"
    one = graph.make_const(f"{name}/one", np.ones((), np.float32)).output[0]
    graph.insert_new_node_on_output("Sub", node.output[0], name=f"{name}/rest", inputs=[one, node.output[0]])


HANDLERS: dict[str, tuple[Callable[..., None], list[Any]]] = {"Erfc": (_erfc, [])}
"""By operators of TensorFlow, for ``custom_op_handlers`` of tf2onnx."""


@contextmanager
def without_xla() -> Iterator[None]:
    """Let functions that are traced inside be parts of the graph, even those that are to be compiled by themselves.

    Keras does so with grouped convolutions, because TensorFlow computes them on CPUs in no other way; to tf2onnx it
    is an operator without a name. ONNX has grouped convolutions.
    """
    import tensorflow as tf

    function = tf.function

    def plain(*arguments: Any, **options: Any) -> Any:
        return (lambda traced: traced) if options.get("jit_compile") else function(*arguments, **options)

    tf.function = plain
    try:
        yield
    finally:
        tf.function = function
