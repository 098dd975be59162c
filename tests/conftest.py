"""What holds for every test."""

from __future__ import annotations

import os

# As edgecnn.training.backend has it: a test that imports TensorFlow by another way must not change how those after it
# compute, on processors where oneDNN is not TensorFlow's own choice.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
