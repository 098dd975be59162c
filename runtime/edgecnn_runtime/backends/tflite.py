"""TFLite files, in LiteRT or in tflite-runtime: two packages with the same interface."""

from __future__ import annotations

import sys
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


class TFLiteBackend:
    """One TFLite model, one image at a time: its input has a fixed batch of 1."""

    def __init__(self, name: str, model: bytes, contract: Contract, threads: int | None) -> None:
        """Load the model into the library ``name``; see :func:`edgecnn_runtime.backends.open_backend`."""
        package, extra = LIBRARIES[name].package, LIBRARIES[name].extra
        library = import_library(f"{package}.interpreter", extra)
        self.name = f"{name} {sys.modules[package].__version__}"
        try:
            with quiet():
                self._interpreter = library.Interpreter(model_content=model, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as problem:
            raise BackendError(
                f"{self.name} cannot run the model ({first_line(problem)}); install a newer interpreter"
            ) from None
        inputs, outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        check_one_of_each(len(inputs), len(outputs))
        self._input: dict[str, Any] = inputs[0]
        self._output: dict[str, Any] = outputs[0]
        self.signature = self._signature()
        check_shapes(contract, self.signature)
        _check_takes_pixels(self._input)

    def scores(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Probabilities, as :meth:`edgecnn_runtime.backends.Backend.scores`."""
        given, kind, answer = self._input["index"], self._input["dtype"], self._output["index"]
        outputs = np.empty((len(pixels), self._output["shape"][1]), self._output["dtype"])
        try:
            for index in range(len(pixels)):
                self._interpreter.set_tensor(given, pixels[index : index + 1].astype(kind, copy=False))
                self._interpreter.invoke()
                outputs[index] = self._interpreter.get_tensor(answer)
        except (ValueError, RuntimeError) as problem:
            raise BackendError(f"{self.name} failed on an image ({first_line(problem)})") from None
        return _real(outputs, self._output)

    def _signature(self) -> Signature:
        """The names are those of the signature; tensors have names of the converter's."""
        named: dict[str, list[str]] = next(iter(self._interpreter.get_signature_list().values()), {})

        def tensor(details: dict[str, Any], names: list[str]) -> Tensor:
            name = names[0] if names else str(details["name"])
            return Tensor(name, np.dtype(details["dtype"]).name, tuple(details["shape"].tolist()[1:]))

        return Signature(tensor(self._input, named.get("inputs", [])), tensor(self._output, named.get("outputs", [])))


def _check_takes_pixels(tensor: dict[str, Any]) -> None:
    if tensor["dtype"] not in (np.uint8, np.float32) or tensor["quantization"] not in ((1.0, 0), (0.0, 0)):
        raise ModelFileError(
            f"the model's input is {tensor['dtype'].__name__}, quantized by {tensor['quantization']}, "
            "not pixels 0..255; export it again"
        )


def _real(values: npt.NDArray[Any], tensor: dict[str, Any]) -> npt.NDArray[np.float32]:
    """Real values of a tensor that may be quantized; a scale of 0 says that it is not."""
    scale, zero_point = tensor["quantization"]
    if not scale:
        return values
    # Told the type, numpy computes as if the values were float32 already, in one step each.
    centred = np.subtract(values, zero_point, dtype=np.float32) if zero_point else values
    return np.multiply(centred, np.float32(scale), dtype=np.float32)
