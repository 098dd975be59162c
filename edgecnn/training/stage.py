"""The stages of a run: the epochs that train the same weights with one optimizer.

Most runs have one. Transfer learning has two (Yosinski et al., "How transferable are features in deep neural
networks?", 2014): the pretrained base is frozen while the new classifier learns, then everything is fine-tuned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from edgecnn.training.recipe import Recipe
from edgecnn_runtime.errors import TrainingError

if TYPE_CHECKING:
    import keras

FINE_TUNING = 0.1
"""Learning rate after unfreezing, as a share of the recipe's: larger steps would undo what was learnt before."""


class Stage(NamedTuple):
    """Some epochs of a run.

    Attributes:
        first: the first epoch, from 0.
        last: the epoch after the last.
        frozen: only the classifier learns.
        learning_rate: the highest one.
    """

    first: int
    last: int
    frozen: bool
    learning_rate: float


def at(recipe: Recipe, epoch: int) -> Stage:
    """The stage that ``epoch``, from 0, belongs to; past the end, the last one."""
    thaw = min(recipe.frozen_epochs, recipe.epochs)
    if thaw == 0:
        return Stage(0, recipe.epochs, False, recipe.learning_rate)
    if epoch < thaw or thaw == recipe.epochs:
        return Stage(0, thaw, True, recipe.learning_rate)
    return Stage(thaw, recipe.epochs, False, FINE_TUNING * recipe.learning_rate)


def freeze(model: keras.Model, frozen: bool) -> None:
    """Let everything learn, or only the last layer that has weights: the classifier."""
    *base, _ = [layer for layer in model.layers if layer.weights]
    for layer in base:
        layer.trainable = not frozen


def check_new(recipe: Recipe, new: list[str]) -> None:
    """See that a run can begin whose pretrained weights lack the layers ``new``.

    Raises:
        TrainingError: the classifier cannot learn alone on them, or there is nothing to fine-tune.
    """
    if recipe.frozen_epochs and len(new) > 1:
        raise TrainingError(
            f"the weights lack {', '.join(new[:-1])}, which would stay random while {new[-1]} learns alone; "
            "take weights that have them, or --unfreeze-after 0"
        )
    if recipe.quantized and new:
        raise TrainingError(f"the weights lack {', '.join(new)} for these classes: --qat fine-tunes what is trained")


def optimizer(kind: Any, recipe: Recipe, stage: Stage, steps_per_epoch: int, model: keras.Model) -> Any:
    """A new optimizer of the class ``kind`` for the weights that learn in the stage."""
    import keras

    rate: Any = stage.learning_rate
    if recipe.cosine:
        steps = (stage.last - stage.first) * steps_per_epoch
        warmup = min(round(recipe.warmup_epochs * steps_per_epoch), steps - 1)  # its first step has a rate of zero
        falling = steps - warmup
        rate = keras.optimizers.schedules.CosineDecay(0.0, falling, warmup_target=rate, warmup_steps=warmup)
    made = kind(
        rate,
        weight_decay=recipe.weight_decay or None,
        use_ema=recipe.averaging > 0,
        ema_momentum=recipe.averaging,
        ema_overwrite_frequency=None,
    )
    made.build(model.trainable_variables)
    return made
