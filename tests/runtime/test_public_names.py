from __future__ import annotations

import edgecnn_runtime


def test_public_names() -> None:
    names = "BackendError Classifier Contract EdgeCNNError ImageError ModelFileError Prediction UsageError"
    assert sorted(edgecnn_runtime.__all__) == names.split() == sorted(dir(edgecnn_runtime))
    for name in names.split():
        assert getattr(edgecnn_runtime, name).__name__ == name
    assert not hasattr(edgecnn_runtime, "classify")
