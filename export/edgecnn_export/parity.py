"""Is an exported file still the same model? The comparison, and what is tolerated."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgecnn_export import keras_file
from edgecnn_export.dataset import Dataset, Images, batches
from edgecnn_export.scoring import Scores, score_everywhere
from edgecnn_runtime import container
from edgecnn_runtime.errors import ExportError, ParityError

if TYPE_CHECKING:
    import keras

Probabilities = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tolerance:
    """How far an exported file may be from the Keras model.

    Attributes:
        agreement: lowest share of images with the same top label.
        difference: largest difference of any probability.
        unlabelled: lowest ``agreement`` on images whose labels are not known, where no accuracy can be measured.
        drop: largest loss of accuracy, in points. A loss whose 95 % interval holds zero is not taken for one: on a
            thousand images a handful of coin-flips is more than half a point.
    """

    agreement: float = 0.0
    difference: float = 1.0
    unlabelled: float = 0.0
    drop: float = 100.0


TOLERANCES = {
    "fp32": Tolerance(agreement=0.9999, difference=1e-4),
    "fp16": Tolerance(agreement=0.999),
    "dynamic": Tolerance(unlabelled=0.9, drop=0.5),
    "int8": Tolerance(unlabelled=0.9, drop=0.5),
}
"""By precision. Float formats must agree; 8-bit ones may differ image by image, but not lose accuracy."""


@dataclass(frozen=True)
class Row:
    """One file in one interpreter, compared with the Keras model on the same images.

    Attributes:
        file: name of the file.
        format: ``tflite`` or ``onnx``.
        precision: of the file.
        backend: interpreter and version.
        size: of the model in the file, in bytes; its contract comes on top.
        accuracy: share of the images it gets right, 0 to 1; None where their labels are not known.
        change: of accuracy against the Keras model, in points; None likewise.
        interval: 95 % confidence interval of ``change``, in points; None likewise.
        agreement: share of the images with the same top label, 0 to 1.
        difference: largest difference of any probability.
        latency: median milliseconds for one image on one thread.
        failures: the tolerances it breaks, in words; empty when it passes.
    """

    file: str
    format: str
    precision: str
    backend: str
    size: int
    accuracy: float | None
    change: float | None
    interval: tuple[float, float] | None
    agreement: float
    difference: float
    latency: float
    failures: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The fields, and ``passed``."""
        return asdict(self) | {"passed": not self.failures}


def compare_files(source: Path, files: Iterable[Path], data: Dataset) -> tuple[float | None, list[Row]]:
    """Compare exported files with the Keras model at ``source`` in every installed interpreter.

    Returns:
        The Keras model's accuracy, 0 to 1 (None where the labels are not known), and one row a file and interpreter.

    Raises:
        ModelFileError: a file is missing, damaged, or was not written by edgecnn.
        ExportError: the Keras model cannot be read, or a file's labels are others.
        ParityError: the Keras model is too weak to compare with.
    """
    contracts = {path: container.read(path) for path in files}
    model, about = keras_file.load(source)
    for path, (contract, _) in contracts.items():
        if contract.labels != about.labels:
            raise ExportError(f"{path} has other labels than {source}: it is not an export of this model")
    reference = reference_scores(model, data)
    accuracy = require_skill(reference, data)
    rows = [
        compare(path.name, contract.format, contract.precision, container.parse(whole)[1], scores, reference, data)
        for path, (contract, whole) in contracts.items()
        for scores in score_everywhere(path, contract.format, data.images)
    ]
    return accuracy, rows


def predict(model: keras.Model, images: Images) -> Probabilities:
    """A Keras model's outputs, float32, shape (N, classes), for uint8 images, shape (N, height, width, 3)."""
    # Not the whole array at once: it may be mapped from a file that is larger than the memory.
    return np.concatenate([np.asarray(model.predict_on_batch(each), np.float32) for each in batches(images)])


def reference_scores(model: keras.Model, data: Dataset) -> Probabilities:
    """The Keras model's probabilities, float32, shape (N, classes).

    Raises:
        ExportError: the outputs are not probabilities.
    """
    scores = predict(model, data.images)
    if scores.shape != (len(data), len(data.label_names)) or not np.allclose(scores.sum(-1), 1, atol=1e-3):
        raise ExportError(
            f"{model.name} does not give one probability for each of {len(data.label_names)} labels; "
            "its last layer must be a softmax"
        )
    return scores


def require_skill(reference: Probabilities, data: Dataset) -> float | None:
    """The reference's accuracy, 0 to 1 (None where the labels are not known), if it is good enough to compare with.

    A network that guesses agrees with any copy of itself that guesses the same way, so a comparison with it proves
    nothing. It must get at least an eighth of the way from chance to perfect. Without labels its answers must at
    least vary: a file that always gives the most frequent of them may not agree on more than half of the images.

    Raises:
        ParityError: it does not.
    """
    if not data.labelled:
        most = int(np.bincount(reference.argmax(-1)).argmax())
        share = float((reference.argmax(-1) == most).mean())
        if share > 0.5:
            raise ParityError(
                f"the Keras model answers {data.label_names[most]!r} to {share:.0%} of {data.name}; agreement with it "
                "proves nothing above 50%: take more varied pictures"
            )
        return None
    accuracy = float((reference.argmax(-1) == data.labels).mean())
    chance = float(np.bincount(data.labels).max() / len(data))
    if accuracy < (lowest := chance + (1 - chance) / 8):
        raise ParityError(
            f"the Keras model gets only {accuracy:.1%} of {data.name} right, where always giving one label gets "
            f"{chance:.1%}; agreement with it proves nothing below {lowest:.1%}: train it first"
        )
    return accuracy


def compare(
    file: str,
    model_format: str,
    precision: str,
    size: int,
    scores: Scores,
    reference: Probabilities,
    data: Dataset,
) -> Row:
    """Compare one interpreter's answers with the Keras model's, both of shape (N, classes)."""
    exported = scores.probabilities
    guess, expected = exported.argmax(-1), reference.argmax(-1)
    accuracy, change, interval = None, None, None
    if data.labelled:
        accuracy = float((guess == data.labels).mean())
        change, interval = accuracy_change(guess == data.labels, expected == data.labels)
    # A NaN compares false with everything: it must not slip through as a small difference.
    difference = float(np.abs(exported - reference).max()) if np.isfinite(exported).all() else float("inf")
    agreement = float((guess == expected).mean())
    return Row(
        file=file,
        format=model_format,
        precision=precision,
        backend=scores.backend,
        size=size,
        accuracy=accuracy,
        change=change,
        interval=interval,
        agreement=agreement,
        difference=difference,
        latency=scores.latency,
        failures=_failures(TOLERANCES[precision], agreement, difference, change, interval),
    )


def accuracy_change(
    right: npt.NDArray[np.bool_], reference_right: npt.NDArray[np.bool_]
) -> tuple[float, tuple[float, float]]:
    """Change of accuracy in points between two classifiers on the same images, and its 95 % interval.

    The interval is Agresti and Min's adjusted one for paired proportions (2005, "Simple improved confidence
    intervals for comparing matched proportions"): half an observation is added to each cell of the 2 x 2 table.
    """
    count = len(right)
    gained, lost = int((right & ~reference_right).sum()), int((~right & reference_right).sum())
    total = count + 2
    centre = (gained - lost) / total
    spread = 1.96 * np.sqrt(gained + lost + 1 - (gained - lost) ** 2 / total) / total
    return 100 * (gained - lost) / count, (100 * float(centre - spread), 100 * float(centre + spread))


def _failures(
    tolerance: Tolerance,
    agreement: float,
    difference: float,
    change: float | None,
    interval: tuple[float, float] | None,
) -> tuple[str, ...]:
    failures = []
    lowest = tolerance.agreement if interval else max(tolerance.agreement, tolerance.unlabelled)
    if not np.isfinite(difference):
        failures.append("some of its probabilities are not numbers")
    if agreement < lowest:
        failures.append(f"agrees on {agreement:.2%} of the images, at least {lowest:.2%} is asked")
    if difference > tolerance.difference:
        failures.append(f"differs by up to {difference:.1e}, at most {tolerance.difference:.0e} is allowed")
    if change is not None and interval is not None and -change > tolerance.drop and interval[1] < 0:
        failures.append(f"loses {-change:.2f} points, at most {tolerance.drop:g} is allowed")
    return tuple(failures)
