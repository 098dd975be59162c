"""ONNX files, in onnxruntime."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from edgecnn_runtime.backends import LIBRARIES
from edgecnn_runtime.backends.loading import check_one_of_each, check_shapes, import_library
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.errors import BackendError, ModelFileError, first_line
from edgecnn_runtime.quiet import quiet
from edgecnn_runtime.signature import Signature, Tensor

if TYPE_CHECKING:
    import numpy.typing as npt

_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}

# Enough to keep every core busy, few enough for VGG16's activations (13 MB a layer) on a small device.
_BATCH = 16

_ERRORS_ONLY = 3

# The entry of a tensor that says in which file its numbers are: the key is field 1, in any spelling of protobuf's.
_ELSEWHERE = re.compile(rb"(\x0a|\x8a\x80*\0)(\x08|\x88\x80*\0)location")


class OnnxBackend:
    """One ONNX model, a batch of images at a time; an image's scores do not depend on the others."""

    def __init__(self, model: bytes, contract: Contract, threads: int | None) -> None:
        """Load the model; see :func:`edgecnn_runtime.backends.open_backend`."""
        # The first search takes a tenth of the time of the second.
        if b"location" in model and _ELSEWHERE.search(model):
            raise ModelFileError("the model wants numbers from another file, which may be any; export it again")
        library = import_library("onnxruntime", LIBRARIES["onnxruntime"].extra)
        self.name = f"onnxruntime {library.__version__}"
        options = library.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = threads or 0
        # onnxruntime would also take its own format, by the look of the bytes; the contract was checked for this one.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        try:
            with quiet():
                self._session = library.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as problem:  # onnxruntime's exceptions have no base of their own
            raise BackendError(
                f"{self.name} cannot run the model ({first_line(problem)}); install a newer interpreter"
            ) from None
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        check_one_of_each(len(inputs), len(outputs))
        self._input, self._output = inputs[0], outputs[0]
        self.signature = Signature(_tensor(self._input), _tensor(self._output))
        check_shapes(contract, self.signature)
        # Dynamic ranges are those of the whole batch: a picture's answer would depend on its neighbours.
        self._batch = 1 if contract.precision == "dynamic" else _BATCH
        if self._input.type not in _TYPES:
            raise ModelFileError(f"the model's input is {self._input.type}, not pixels 0..255; export it again")

    def scores(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities, as :meth:`edgecnn_runtime.backends.Backend.scores`."""
        scores = np.empty((len(pixels), self._output.shape[1]), np.float32)
        try:
            for start in range(0, len(pixels), self._batch):
                images = pixels[start : start + self._batch].astype(_TYPES[self._input.type], copy=False)
                outputs = self._session.run([self._output.name], {self._input.name: images})
                scores[start : start + self._batch] = outputs[0]
        except Exception as problem:  # as above
            raise BackendError(f"{self.name} failed on an image ({first_line(problem)})") from None
        return scores


def _tensor(described: Any) -> Tensor:
    kind = _TYPES.get(described.type)
    return Tensor(described.name, np.dtype(kind).name if kind else described.type, tuple(described.shape[1:]))
