"""A network while it learns: its model, its optimizer, and the compiled steps that use both."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from edgecnn.training import keras_backend, stage, teacher
from edgecnn.training.averaging import averaged
from edgecnn.training.cropping import taking, window
from edgecnn.training.devices import Devices
from edgecnn.training.folding import folded
from edgecnn.training.plan import Plan, is_resident, steps_and_batch
from edgecnn.training.precision import precision
from edgecnn.training.quantization_aware import aware, copy_weights
from edgecnn.training.recipe import Recipe
from edgecnn.zoo.network import Network
from edgecnn_runtime.errors import UsageError
from edgecnn_runtime.quiet import quiet

if TYPE_CHECKING:
    import keras

    from edgecnn_export.dataset import Dataset

# A call of the compiled steps on a CPU should take about a second or less, so that the bar moves and Ctrl-C is
# answered; a GPU takes a whole epoch at once. Images that do not stay on the device are brought a part at a time.
_IMAGES_PER_CALL = 3200
_MULTIPLY_ADDS_PER_CALL = 1e10
_BYTES_PER_CALL = 2**28


class Learner:
    """A new network with random weights; ``enter`` it into an epoch before it runs.

    Attributes:
        model: the network itself.
        taught: fingerprint of its teacher, if it has one.
        variables: all state that training changes, in a fixed order within a stage.
        steps_per_call: how many steps one call of ``run`` should take.
    """

    def __init__(self, network: Network, recipe: Recipe, data: Dataset, devices: Devices) -> None:
        """Build the network for the images and the labels of ``data``, to learn on ``devices``.

        Raises:
            UsageError: a batch cannot be divided among them, or the images are shifted or cut out of sight.
        """
        devices.divide(min(recipe.batch_size, len(data)))
        for name, reach in (("shift", recipe.shift), ("cutout", recipe.cutout)):
            if reach >= min(data.images.shape[1:3]):
                raise UsageError(f"{name} must be below the images' height and width, got {reach}")
        self._network, self._recipe, self._data, self._devices = network, recipe, data, devices
        self._framework = keras_backend.choose()
        import keras

        with quiet():  # it imports TensorFlow, whatever computes, which writes of missing GPUs
            keras.utils.set_random_seed(recipe.seed)
        with precision(recipe.mixed_precision):
            self.model = self._build()
            self._trained = network.with_auxiliary(self.model)
        self.taught = teacher.fingerprint(recipe)
        self._teacher = teacher.load(recipe, data) if recipe.teacher else None
        self._stage: stage.Stage | None = None
        self._window = (0, 0)
        self._compiled: Any = None
        self.variables: list[Any] = []
        self.steps_per_call = max(1, self._images_per_call() // recipe.batch_size)

    @property
    def given(self) -> list[Any]:
        """What it begins with: the network's variables, and the teacher's."""
        return [*self.model.variables, *(self._teacher.variables if self._teacher else [])]

    @property
    def learning_rate(self) -> float:
        """The optimizer's, after the steps so far."""
        return float(self._optimizer.learning_rate)

    def enter(self, epoch: int) -> None:
        """Be ready for ``epoch``, from 0; where another stage begins with it, the optimizer is a new one.

        Raises:
            UsageError: the network, or its teacher, cannot learn from windows.
        """
        entered, seen = stage.at(self._recipe, epoch), window(self._recipe, epoch, self._data.images.shape)
        if (entered, seen) == (self._stage, self._window):
            return
        if self._stage:
            self.synchronise()
        elif self._recipe.quantized:
            self.model = self._trained = aware(self.model)
        if entered != self._stage:
            self._begin(entered)
        self._window = seen
        steps_of = keras_backend.compiled_steps(self._framework, self._devices)
        model = taking(self._trained, seen, self._network.name)
        teacher = self._teacher and taking(self._teacher, seen, f"the teacher {self._recipe.teacher}")
        self._compiled = None  # it holds the images, which are on the device once
        self._compiled = steps_of(model, self._optimizer, self._data, self._recipe, teacher)

    def _begin(self, entered: stage.Stage) -> None:
        self._stage = entered
        stage.freeze(self.model, entered.frozen)
        kind = keras_backend.optimizer(self._framework, self._recipe.optimizer)
        steps, _ = steps_and_batch(self._recipe, len(self._data))
        self._optimizer = stage.optimizer(kind, self._recipe, entered, steps, self._trained)
        self.variables = self._trained.variables + self._optimizer.variables

    def run(self, plan: Plan) -> tuple[float, float]:
        """Train on ``plan``; the sum of the steps' losses, and the number of images that were right."""
        loss, correct = self._compiled.run(plan)
        return loss, correct

    def synchronise(self) -> None:
        """Bring ``model`` and ``variables`` up to date."""
        self._compiled.synchronise()

    def result(self) -> AbstractContextManager[None]:
        """Inside, ``model`` has the weights that are to be kept; ``synchronise`` first."""
        return averaged(self._optimizer, self._trained.trainable_variables)

    def in_float32(self) -> keras.Model:
        """The weights to be kept, in a model that computes in float32 whatever trained it: what is saved."""
        plain = self._build()
        with self.result():
            stage.freeze(self.model, False)
            if self._recipe.quantized:
                plain = folded(plain)
                copy_weights(self.model, plain)
            else:
                plain.set_weights(self.model.get_weights())
        return plain

    def _build(self) -> keras.Model:
        _, height, width, _ = self._data.images.shape
        return self._network.build(len(self._data.label_names), height, width)

    def _images_per_call(self) -> int:
        images = self._data.images
        most = math.inf if is_resident(images) else _BYTES_PER_CALL // math.prod(images.shape[1:])
        if keras_backend.on_gpu(self._framework):
            return int(min(most, len(images)))
        return int(min(most, _IMAGES_PER_CALL, _MULTIPLY_ADDS_PER_CALL // self._network.multiply_adds))
