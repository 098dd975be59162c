"""The trained model that edgecnn carries, so that it can name a picture as it comes out of the box."""

from __future__ import annotations

from pathlib import Path

from edgecnn_runtime.backends import default_format


def default_model(backend: str | None = None) -> Path:
    """File of the carried model, in the format that ``backend`` or an installed interpreter runs."""
    return carried(default_format(backend))


def carried(model_format: str) -> Path:
    """File of the carried model in a format, ``tflite`` or ``onnx``."""
    return Path(__file__).with_name(f"edge-s-int8.{model_format}")
