"""Whether it was the memory that a training was short of."""

from __future__ import annotations


def is_out_of_memory(problem: Exception) -> bool:
    """Python says so by a class of its own, TensorFlow and JAX by an error with this name or this word."""
    return (
        isinstance(problem, MemoryError)
        or type(problem).__name__ == "ResourceExhaustedError"
        or str(problem).startswith("RESOURCE_EXHAUSTED")
    )
