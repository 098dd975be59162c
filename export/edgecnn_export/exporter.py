"""One model, one file after the other: converted, proved, and rescued where 8 bits lose too much."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecnn_export import artifact, c_source, keras_file, tools
from edgecnn_export.artifact import Artifact
from edgecnn_export.comparison import Row, complaints
from edgecnn_export.dataset import Dataset
from edgecnn_export.description import describe
from edgecnn_export.interruptible import interruptible
from edgecnn_export.operators import Network, layer, ranked
from edgecnn_export.options import Listener, Options
from edgecnn_export.parity import passing_over
from edgecnn_export.proof import Reference, passes, prove, rejected
from edgecnn_export.reference import predict
from edgecnn_export.rescue import kept_in_float
from edgecnn_export.scoring import RefusedError
from edgecnn_runtime.contract import Contract
from edgecnn_runtime.errors import ExportError, ParityError

if TYPE_CHECKING:
    import keras

SOURCE_OF_C = ("tflite", "int8")
"""The file that C is made of."""

_INSTEAD = {"tflite": ("int16x8", "fp16"), "onnx": ("fp16",)}
"""What an int8 file that cannot be saved is replaced by, the smaller first."""

CALIBRATED = frozenset({"int8", "int16x8"})
"""Precisions whose ranges come from images."""


@dataclass(frozen=True, eq=False)
class Exporter:
    """One model on its way to files.

    Attributes:
        model: takes pixels 0..255, gives probabilities.
        about: what it is.
        out: folder of the files.
        calibration: images that set the ranges of integers; needed for those only.
        reference: what each file is measured by.
        options: of the gate.
        listener: told of each file.
        in_c: write the int8 TFLite file as C too.
    """

    model: keras.Model
    about: keras_file.About
    out: Path
    calibration: Dataset | None
    reference: Reference
    options: Options
    listener: Listener
    in_c: bool

    def export(self, form: str, precisions: Iterable[str]) -> list[ExportError]:
        """Write the files of one format, or what they can be rescued as; what is wrong with those that cannot."""
        problems: list[ExportError] = []
        with passing_over(problems.append), ExitStack() as open_files:
            with interruptible():
                written = self._writer(form, open_files)
            for each in precisions:
                with passing_over(problems.append):
                    problems += map(ParityError, written(each))
        return problems

    def _writer(self, form: str, open_files: ExitStack) -> Callable[[str], list[str]]:
        """What writes a file of that format in a precision, and says what is wrong with it."""
        if form not in _INSTEAD:
            plain = artifact.convert(self.model, self.about, form)
            return lambda precision: complaints(self._prove(plain, self._contract(form, precision)))
        network = open_files.enter_context(self._opened(form))
        return lambda precision: self._export(network, form, precision)

    def _export(self, network: Network, form: str, precision: str) -> list[str]:
        with interruptible():
            payload = self._described(network.convert(precision), form, precision)
        rows: list[Row] = []
        try:
            rows = self._prove(payload, self._contract(form, precision))
            failed = complaints(rows)
        except RefusedError as problem:
            if precision != "int8":
                raise
            failed = [str(problem)]
        if precision == "int8" and (failed or self.options.debug_layers):
            int8 = network.int8
            errors: dict[str, float] = {}
            # Where an interpreter refused the file, its converter may not be able to run it either.
            with suppress(*[ExportError] if not rows else []), interruptible():
                errors = int8.errors()
            layers = {self._layer(name): error for name, error in ranked(int8.operators, errors).items()}
            self.listener.layers(self._target(form, precision), layers)
            if failed and self.options.rescue and self._rescue(network, form, errors, failed[0], len(payload)):
                return []
            return [each + _worst(rows, layers) for each in failed[:1]] + failed[1:]
        return failed

    def _rescue(self, network: Network, form: str, errors: dict[str, float], because: str, int8_bytes: int) -> bool:
        """Whether the file could be saved: with some layers in float, or in another precision."""
        contract, target = self._contract(form, "int8"), self._target(form, "int8")
        self.listener.note(f"{because}: looking for the layers to keep in float")
        assert self.calibration is not None
        seen = predict(self.model, self.calibration.images)
        trial = Reference(self.calibration, seen, None, self.options.max_drop)
        for kept in kept_in_float(network.int8, errors, lambda payload: passes(payload, contract, trial, self.out)):
            payload = self._described(network.int8.convert(kept), form, "int8")
            names = sorted({self._layer(each) for each in kept})
            rescue: dict[str, Any] = {"kept": names, "precision": "fp32", "because": because}
            rescue |= {"bytes": len(payload), "int8_bytes": int8_bytes}
            if not complaints(self._prove(payload, replace(contract, rescue=rescue))):
                self.listener.note(
                    f"{target.name}: kept in float: {', '.join(names)}; {_cost(payload, int8_bytes)}"
                    f"{self._cheaper(network, form, payload)}"
                )
                return True
        if self.in_c and form == SOURCE_OF_C[0]:
            return False  # in another precision it would be no file that C is made of
        return any(self._instead(network, form, precision, int8_bytes) for precision in _INSTEAD[form])

    def _cheaper(self, network: Network, form: str, rescued: bytes) -> str:
        """That half precision takes less room than a rescued file, if it does."""
        try:
            half = len(self._described(network.convert("fp16"), form, "fp16"))
        except ExportError:
            return ""
        return f"; --precision fp16 takes {half / 1000:,.1f} kB" if half < len(rescued) else ""

    def _instead(self, network: Network, form: str, precision: str, int8_bytes: int) -> bool:
        """Whether a file in another precision passes; not every interpreter computes every operator in 16 bits."""
        target = self._target(form, precision)
        try:
            payload = self._described(network.convert(precision), form, precision)
            rows = self._prove(payload, self._contract(form, precision))
        except ExportError as problem:
            self.listener.note(str(problem))
            return False
        if complaints(rows):
            return False
        int8 = self._target(form, "int8")
        earlier = f"; {int8} is of an earlier export" if int8.exists() else ""
        self.listener.note(
            f"{int8.name} cannot be had; {target.name} is in its place: {_cost(payload, int8_bytes)}{earlier}"
        )
        return True

    def _opened(self, form: str) -> AbstractContextManager[Network]:
        images = None if self.calibration is None else self.calibration.images
        if form == "tflite":
            from edgecnn_export.tflite import TFLite

            return nullcontext(TFLite(self.model, images))
        from edgecnn_export.onnx import opened

        return opened(self.model, images, self.options.calibration_method)

    def _described(self, payload: bytes, form: str, precision: str) -> bytes:
        if form == "tflite":
            from edgecnn_export.tflite_metadata import add
        else:
            from edgecnn_export.onnx_metadata import add
        return add(payload, self.about, precision)

    def _prove(self, payload: Artifact, contract: Contract) -> list[Row]:
        target = self._target(contract.format, contract.precision)
        rows = prove(target, payload, contract, self.reference)
        passed = not complaints(rows)
        self.listener.compared(target if passed else rejected(target), rows)
        if passed and self.in_c and (contract.format, contract.precision) == SOURCE_OF_C:
            for written in c_source.write(target):
                self.listener.note(f"saved {written}")
        return rows

    def _contract(self, form: str, precision: str) -> Contract:
        words = describe(self.about, precision)
        made = Contract(
            model=self.about.name,
            format=form,
            precision=precision,
            labels=self.about.labels,
            input=self.about.input,
            training=self.about.training,
            author=words.author,
            license=words.license,
            tools=tools.versions(),
        )
        if precision not in CALIBRATED:
            return made
        assert self.calibration is not None
        calibration = {
            "data": self.calibration.name,
            "images": len(self.calibration),
            "fingerprint": self.calibration.fingerprint,
            "method": self.options.calibration_method if form == "onnx" else "minmax",
        }
        return replace(made, calibration=calibration)

    def _target(self, form: str, precision: str) -> Path:
        return self.out / f"{self.about.name}-{precision}.{form}"

    def _layer(self, operator: str) -> str:
        return layer(operator, [each.name for each in self.model.layers if each.weights])


def _cost(payload: bytes, int8_bytes: int) -> str:
    """What a rescue costs, in words."""
    return f"{len(payload) / 1000:,.1f} kB instead of {int8_bytes / 1000:,.1f}"


def _worst(rows: list[Row], layers: dict[str, float]) -> str:
    """The classes and the layers that lose most, in words."""
    lost = rows[0].worst_classes if rows else {}
    classes = ", ".join(f"{name} -{points:.1f}" for name, points in lost.items())
    named = ", ".join(f"{name} {error:.0%}" for name, error in list(layers.items())[:3])
    return (f"; worst classes, points: {classes}" if classes else "") + f"; worst layers, relative error: {named}"
