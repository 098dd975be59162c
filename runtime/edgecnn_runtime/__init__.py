"""edgecnn_runtime: what runs on the device, with numpy, Pillow and one interpreter.

>>> from edgecnn_runtime import Classifier
>>> classifier = Classifier.open("edge-s-int8.tflite")  # doctest: +SKIP
>>> classifier.classify("cam.jpg", top=1)  # doctest: +SKIP
[Prediction(label='cat', index=3, score=0.9765625)]
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from edgecnn_runtime.classifier import Classifier as Classifier
    from edgecnn_runtime.classifier import Prediction as Prediction
    from edgecnn_runtime.contract import Contract as Contract
    from edgecnn_runtime.errors import BackendError as BackendError
    from edgecnn_runtime.errors import EdgeCNNError as EdgeCNNError
    from edgecnn_runtime.errors import ImageError as ImageError
    from edgecnn_runtime.errors import ModelFileError as ModelFileError
    from edgecnn_runtime.errors import UsageError as UsageError

# onnxruntime since 1.29 tells its maker of each model that is opened, and keeps a number for the device and a data base
# in the user's cache; it looks at this when it is imported. Who wants it sets 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

# Looked up on first use (PEP 562): importing the error tree alone must not load numpy and Pillow.
_HOMES = {
    "Classifier": "classifier",
    "Prediction": "classifier",
    "Contract": "contract",
    "BackendError": "errors",
    "EdgeCNNError": "errors",
    "ImageError": "errors",
    "ModelFileError": "errors",
    "UsageError": "errors",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
