"""The runtime's front door: open a model file, show it pictures."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from edgecnn_runtime import container
from edgecnn_runtime.backends import Backend, open_backend
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.errors import EdgeCNNError, ModelFileError, UsageError
from edgecnn_runtime.image import Picture, pixels

if TYPE_CHECKING:
    import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Prediction:
    """One of a picture's answers.

    Attributes:
        label: name of the class.
        index: of the class among the contract's labels.
        score: probability, 0 to 1.
    """

    label: str
    index: int
    score: float


class Classifier:
    """A model file in an interpreter. Open it once and use it for every picture.

    Attributes:
        contract: what the file promises about itself.
        backend: the interpreter that runs it.
    """

    def __init__(self, contract: Contract, backend: Backend) -> None:
        """Put together what :meth:`open` has read and loaded."""
        self.contract = contract
        self.backend = backend

    @classmethod
    def open(cls, path: str | os.PathLike[str], backend: str | None = None, threads: int | None = None) -> Classifier:
        """Load a model file that ``edgecnn export`` wrote.

        Args:
            path: the ``.tflite`` or ``.onnx`` file.
            backend: ``litert``, ``tflite-runtime`` or ``onnxruntime``; otherwise the best that is installed.
            threads: how many threads compute, at least 1; otherwise the interpreter decides.

        Raises:
            ModelFileError: the file is missing, damaged, or was not written by edgecnn.
            BackendError: no installed interpreter can run it.
            UsageError: there is no such backend, or it does not run such files.
        """
        contract, data = container.read(path)
        try:
            return cls(contract, open_backend(data, contract, backend, threads))
        except EdgeCNNError as problem:
            raise type(problem)(f"{os.fspath(path)}: {problem}") from None

    def classify(self, image: Picture, top: int = 3) -> list[Prediction]:
        """The ``top`` most probable classes of one picture, best first.

        Raises:
            ImageError: the picture is missing or not usable.
            ModelFileError: the model's scores are no numbers.
            UsageError: ``top`` is less than 1.
        """
        if top < 1:
            raise UsageError(f"top must be at least 1, not {top}")
        return self.ranked(self.backend.scores(pixels(image, self.contract.input)[np.newaxis])[0], top)

    def ranked(self, scores: npt.NDArray[np.float32], top: int) -> list[Prediction]:
        """The ``top`` most probable classes by the scores of one picture, shape (labels,), best first.

        Raises:
            ModelFileError: the scores are no numbers.
        """
        return ranked(scores, self.contract.labels, top)

    def scores(self, images: Iterable[Picture]) -> npt.NDArray[np.float32]:
        """Probabilities of every class for several pictures, shape (N, labels).

        An array of uint8 pixels of shape (N, height, width, 3) is also a row of pictures.

        Raises:
            ImageError: a picture is missing or not usable.
        """
        spec = self.contract.input
        batch = [pixels(image, spec) for image in images]
        return self.backend.scores(np.array(batch, np.uint8).reshape(-1, spec.height, spec.width, 3))


def ranked(scores: npt.NDArray[np.float32], labels: Sequence[str], top: int) -> list[Prediction]:
    """The ``top`` most probable classes by scores, shape (labels,), best first.

    Raises:
        ModelFileError: the scores are no numbers.
    """
    if not np.isfinite(scores).all():
        raise ModelFileError("the model's scores are no numbers (NaN); try: edgecnn verify")
    best = (-scores).argsort(kind="stable")[:top].tolist()
    return [Prediction(labels[i], i, float(scores[i])) for i in best]
