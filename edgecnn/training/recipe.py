"""A recipe: every choice of a training run, saved with it and enough to repeat it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, get_args

from edgecnn_export import keras_file
from edgecnn_runtime.errors import TrainingError, UsageError

Optimizer = Literal["adam", "muon"]
Validation = Literal["held-out", "test", "none"]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        name: name on the command line.
        epochs: passes over the training images.
        batch_size: images a step. What is left over at the end of an epoch waits for the next shuffle.
        optimizer: ``adam`` (Kingma and Ba, 2015), or ``muon`` for the filters of convolutions (Jordan, 2024) and Adam
            for all else.
        learning_rate: the highest one, reached after the warm-up.
        cosine: fall to zero along a half cosine (Loshchilov and Hutter, 2017) instead of staying constant.
        warmup_epochs: epochs of linear rise from zero, with ``cosine`` only.
        weight_decay: decoupled, a step (Loshchilov and Hutter, 2019).
        label_smoothing: probability spread evenly over all classes (Szegedy et al., 2016).
        flip: mirror half of the images, left to right.
        shift: move each image by up to so many pixels either way; the border is mirrored.
        cropped: share of the epochs, the first ones, that see windows at random places of the images, which are faster;
            the others see whole images (progressive learning, after Tan and Le, "EfficientNetV2", 2021).
        crop: the windows' share of an image's height and width.
        cutout: side in pixels of the grey square laid over each image (DeVries and Taylor, 2017).
        cutmix: share of the images that a part of another image is pasted into; the label is divided alike (Yun et
            al., 2019).
        averaging: decay a step of the moving average of the weights, which is what is kept in the end (Tarvainen and
            Valpola, 2017); 0 keeps the last weights.
        teacher: run or .keras file of the network whose answers are learnt too (Hinton et al., 2015); it sees the same
            augmented images (Beyer et al., 2022).
        distillation: share of the target that the teacher's answer makes, the label the rest.
        validation: ``held-out`` watches some of the training images, of CIFAR-10's 50,000 some 5,000, and trains on the
            others; ``none`` trains on all and watches nothing; ``test`` trains on all and watches the test images, as
            the lesson does.
        pretrained: start from weights that were learnt before instead of random ones.
        weights: the run, or the file, that these come from; empty for those that Keras has for ImageNet.
        frozen_epochs: so many first epochs train the classifier alone; then everything learns, at a tenth of the
            learning rate.
        quantized: round as an int8 file does while training (:mod:`edgecnn.training.quantization_aware`).
        mixed_precision: compute in bfloat16, keep the weights in float32.
        seed: of the initial weights, the shuffles and the augmentation.
    """

    name: str
    epochs: int
    batch_size: int
    learning_rate: float
    optimizer: Optimizer = "adam"
    cosine: bool = False
    warmup_epochs: float = 0.0
    weight_decay: float = 0.0
    label_smoothing: float = 0.0
    flip: bool = False
    shift: int = 0
    cropped: float = 0.0
    crop: float = 0.75
    cutout: int = 0
    cutmix: float = 0.0
    averaging: float = 0.0
    teacher: str = ""
    distillation: float = 0.0
    validation: Validation = "held-out"
    pretrained: bool = False
    weights: str = ""
    frozen_epochs: int = 0
    quantized: bool = False
    mixed_precision: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot train.

        Raises:
            UsageError: a value is out of range; the message names it.
        """
        self._check_ranges()
        if bool(self.teacher) != bool(self.distillation):
            raise UsageError("a teacher and the share of its answers (distillation) go together")
        if self.weights and not self.pretrained:
            raise UsageError("weights to start from need pretrained to be true")
        if self.frozen_epochs and not self.pretrained:
            raise UsageError("a frozen base must have learnt something: give it weights with --pretrained or --weights")
        if self.quantized and self.frozen_epochs:
            raise UsageError("a network that learns to bear rounding learns as a whole: leave out the freezing")
        for name, known in (("optimizer", get_args(Optimizer)), ("validation", get_args(Validation))):
            if getattr(self, name) not in known:
                raise UsageError(f"{name} must be one of {', '.join(known)}, got {getattr(self, name)!r}")

    def _check_ranges(self) -> None:
        least = {"epochs": 1, "batch_size": 1}
        least |= dict.fromkeys(("warmup_epochs", "weight_decay", "shift", "cutout", "frozen_epochs", "seed"), 0)
        for name, lowest in least.items():
            if not getattr(self, name) >= lowest:
                raise UsageError(f"{name} must be at least {lowest}, got {getattr(self, name)}")
            if getattr(self, name) >= 2**32:
                raise UsageError(f"{name} must be below 2**32, got {getattr(self, name)}")
        if not 0 < self.learning_rate < float("inf"):
            raise UsageError(f"learning_rate must be a positive number, got {self.learning_rate}")
        if not 0 < self.crop <= 1:
            raise UsageError(f"crop must be above 0 and at most 1, got {self.crop}")
        for name in ("label_smoothing", "averaging"):
            if not 0 <= getattr(self, name) < 1:
                raise UsageError(f"{name} must be at least 0 and below 1, got {getattr(self, name)}")
        for name in ("cropped", "cutmix", "distillation"):
            if not 0 <= getattr(self, name) <= 1:
                raise UsageError(f"{name} must be from 0 to 1, got {getattr(self, name)}")

    @property
    def crop_epochs(self) -> int:
        """How many first epochs see windows."""
        return int(round(self.cropped * self.epochs, 6))  # 0.29 of 100 is 28.999999999999996

    @property
    def weights_file(self) -> Path | None:
        """The file that ``weights`` means; None for Keras's own."""
        return keras_file.locate(Path(self.weights)) if self.weights else None

    def to_json(self) -> str:
        """Indented JSON text with every field."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Recipe:
        """The recipe saved as ``data``.

        Raises:
            TrainingError: a field is missing or unknown, or its value of another kind.
            UsageError: a value is out of range.
        """
        try:
            return cls(**{name: _of_kind(name, value, KINDS.get(name)) for name, value in data.items()})
        except (AttributeError, TypeError) as problem:
            known = ", ".join(field.name for field in fields(cls))
            reason = str(problem).removeprefix("Recipe.__init__() ")
            raise TrainingError(f"the saved recipe does not fit ({reason}); its fields are: {known}") from None
        except OverflowError:
            raise TrainingError("the saved recipe has a number that is too large to be computed with") from None


_NUMBERS: dict[str, type] = {"int": int, "float": float, "bool": bool}

KINDS = {field.name: _NUMBERS.get(str(field.type), str) for field in fields(Recipe)}
"""What each field of a recipe is."""


def _of_kind(name: str, value: Any, kind: type | None) -> Any:
    """The value as the field's kind; a whole number may be written as 32.0."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is float and number:
        return float(value)
    if kind is int and number and value == value // 1:
        return int(value)
    if kind is None or (kind in (bool, str) and isinstance(value, kind)):
        return value
    given = json.dumps(value)
    raise TrainingError(f"the saved recipe's {name} is of the wrong kind, {given}; expected {kind.__name__}")


LESSON = Recipe("lesson", epochs=10, batch_size=32, learning_rate=1e-3, validation="test")
"""The lesson's own: constant Adam, no augmentation, and the test set watched during training, as it does."""

DEFAULT = Recipe(
    "default",
    epochs=15,
    batch_size=64,
    learning_rate=2e-3,
    cosine=True,
    warmup_epochs=1.0,
    weight_decay=1e-3,
    label_smoothing=0.05,
    flip=True,
    shift=3,
)
"""Augmentation, a cosine schedule and light regularisation: chosen on the 5,000 held-out images."""

RESIDUAL = replace(DEFAULT, name="residual", epochs=60, learning_rate=1e-2)
"""For networks with batch normalisation, which bear larger steps, gain from them, and take longer to learn all they
can: chosen on the 5,000 held-out images."""

DEEP_RESIDUAL = replace(RESIDUAL, name="deep-residual", epochs=30)
"""For those that take several times as long for an image: half the epochs, so that a computer without a GPU can."""

EDGE = replace(RESIDUAL, name="edge", epochs=100, optimizer="muon", learning_rate=2e-2, weight_decay=1e-2, cropped=0.67)
"""For the edge family, whose networks are small for what they are to learn: Muon, with the rate and the decay that were
best on the 5,000 held-out images after five epochs, and windows, which were better after 20 epochs than whole images
after the 15 that take as long."""

EDGE_CUTOUT = replace(EDGE, name="edge-cutout", cutout=8)
"""For those of the family that learn their images by heart: better on the held-out ones after 60 epochs of ``edge-s``,
worse after 15 of ``edge-xs``."""

TRANSFER = Recipe(
    "transfer",
    epochs=15,
    batch_size=32,
    learning_rate=1e-3,
    cosine=True,
    warmup_epochs=0.5,
    label_smoothing=0.1,
    flip=True,
    shift=4,
    pretrained=True,
    frozen_epochs=10,
)
"""ImageNet weights, a new classifier for ten epochs, then five of fine-tuning: for photographs in the hundreds."""

QAT = replace(DEFAULT, name="qat", epochs=6, learning_rate=5e-4, warmup_epochs=0.5, pretrained=True, quantized=True)
"""Quantization-aware fine-tuning of a trained network."""

DISTILLATION = 0.7
"""Share of a teacher's answers where a recipe has no teacher of its own."""

RECIPES = {
    recipe.name: recipe for recipe in (LESSON, DEFAULT, RESIDUAL, DEEP_RESIDUAL, EDGE, EDGE_CUTOUT, TRANSFER, QAT)
}


def find(name: str) -> Recipe:
    """The recipe of that name, or of that file, as a run or a search saves it.

    Raises:
        UsageError: there is none; the message lists the names.
        TrainingError: the file cannot be read, or holds none.
    """
    if name in RECIPES:
        return RECIPES[name]
    try:
        saved = json.loads(Path(name).read_text())
        if not isinstance(saved, dict):
            raise ValueError
    except FileNotFoundError:
        raise UsageError(
            f"no recipe is called {name!r}, and there is no such file; there are: {', '.join(RECIPES)}"
        ) from None
    except OSError as problem:
        raise TrainingError(f"the recipe {name} cannot be read ({problem.strerror}); name a recipe.json") from None
    except (ValueError, RecursionError):
        raise TrainingError(
            f"{name} is not a recipe: expected a recipe.json, as edgecnn train and tune save it"
        ) from None
    try:
        return Recipe.from_dict(saved)
    except TrainingError as problem:
        raise TrainingError(f"{name}: {problem}") from None


def planned(name: str | None, usual: str, freeze: bool, changes: dict[str, Any]) -> Recipe:
    """A recipe as it is asked for on a command line.

    Args:
        name: of the recipe; without one, ``qat`` for rounding, ``transfer`` for pretrained weights and ``usual`` for
            random ones.
        usual: name of the network's own recipe.
        freeze: train the classifier alone, to the end.
        changes: fields with other values than the recipe's.

    Raises:
        UsageError: there is no such recipe, or the changes make no sense.
    """
    if changes.get("quantized") and not changes.get("pretrained"):
        raise UsageError("--qat fine-tunes a network that is trained: name it with --weights")
    other = QAT if changes.get("quantized") else TRANSFER if changes.get("pretrained") else None
    recipe = find(name or (other.name if other else usual))
    if freeze:
        if "frozen_epochs" in changes:
            raise UsageError("--freeze never unfreezes; give it or --unfreeze-after")
        changes = changes | {"frozen_epochs": changes.get("epochs", recipe.epochs)}
    if changes.get("teacher"):
        changes = {"distillation": recipe.distillation or DISTILLATION} | changes
    return replace(recipe, **changes)
