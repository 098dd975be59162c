"""Keras model to ONNX bytes in every precision; the quantization is onnxruntime's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from edgecnn_export.dataset import Images
from edgecnn_export.onnx_graph import checked, converting, write_float
from edgecnn_export.onnx_int8 import OnnxInt8

if TYPE_CHECKING:
    import keras


class Onnx:
    """A network on its way to ONNX, with a free batch size; an :class:`edgecnn_export.operators.Network`.

    Every precision is made of one float file; see :func:`opened`.
    """

    def __init__(self, name: str, plain: Path, calibration: Images | None, method: str) -> None:
        """Take the float file, and what :class:`edgecnn_export.onnx_int8.OnnxInt8` takes."""
        self._name, self._plain, self._images, self._method = name, plain, calibration, method

    def convert(self, precision: str) -> bytes:
        """The file in that precision.

        The input ``pixels`` is uint8, shape (N, height, width, 3), the output ``probabilities`` float32, shape
        (N, classes), in every precision.

        Args:
            precision: ``fp32``; ``fp16``; ``dynamic`` (8-bit weights, ranges of activations found while running);
                ``int8`` (ranges from the images, in the QuantizeLinear/DequantizeLinear form).

        Raises:
            ExportError: onnxruntime cannot convert the model.
        """
        if precision == "int8":
            return self.int8.convert()
        with converting(self._name, precision), TemporaryDirectory() as folder:
            if precision == "fp32":
                return checked(self._plain)
            path = Path(folder, "model.onnx")
            (_half if precision == "fp16" else _dynamic)(self._plain, path)
            return checked(path)

    @cached_property
    def int8(self) -> OnnxInt8:
        """The network to be quantized; see :class:`edgecnn_export.operators.Int8`."""
        assert self._images is not None
        return OnnxInt8(self._name, self._plain, self._images, self._method)


@contextmanager
def opened(model: keras.Model, calibration: Images | None, method: str = "minmax") -> Iterator[Onnx]:
    """Write the float file, of which all others are made, for as long as it is needed.

    Args:
        model: takes pixels 0..255, gives probabilities.
        calibration: images that set the int8 ranges, shape (N, height, width, 3); needed for ``int8``.
        method: how a range is found in the values seen: ``minmax``, ``entropy`` or ``percentile``.

    Raises:
        ExportError: tf2onnx cannot convert the model, or it is larger than 2 GB.
    """
    with TemporaryDirectory() as folder:
        plain = Path(folder, "float.onnx")
        with converting(model.name, "fp32"):
            write_float(model, plain)
        yield Onnx(model.name, plain, calibration, method)


def convert(model: keras.Model, precision: str, calibration: Images | None) -> bytes:
    """One file only, as :meth:`Onnx.convert`."""
    with opened(model, calibration) as network:
        return network.convert(precision)


def _half(plain: Path, path: Path) -> None:
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    onnx.save(convert_float_to_float16(onnx.load(plain), keep_io_types=True), path)


def _dynamic(plain: Path, path: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    # onnxruntime computes dynamic convolutions with unsigned weights only.
    quantize_dynamic(plain, path, weight_type=QuantType.QUInt8, per_channel=True)
