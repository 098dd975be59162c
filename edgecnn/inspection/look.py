"""The pictures of a look into a network, drawn one after another."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from edgecnn import plots
from edgecnn.inspection import layers
from edgecnn.inspection.filters import filters
from edgecnn.inspection.grad_cam import grad_cam
from edgecnn.inspection.occlusion import occlusion
from edgecnn.inspection.subject import Subject
from edgecnn_runtime import Classifier, Prediction
from edgecnn_runtime.classifier import ranked

Pixels = npt.NDArray[np.uint8]


class Drawn(NamedTuple):
    """A picture that was drawn.

    Attributes:
        file: of the picture.
        shows: what, in a few words.
    """

    file: Path
    shows: str


def into_model(folder: Path, subject: Subject, pixels: Pixels, top: int, layer: str | None) -> Iterator[Drawn]:
    """Filters, feature maps and Grad-CAM of a Keras model for one picture.

    Args:
        folder: of the pictures.
        subject: the model.
        pixels: shape (height, width, 3), as the model takes them.
        top: for how many of the most probable classes.
        layer: the only one to show, and the one whose maps Grad-CAM weights; otherwise all stages, and the last maps.

    Raises:
        UsageError: the model has no convolution, or no such layer.
    """
    model, best = subject.model, ranked(subject.scores(pixels), subject.about.labels, top)
    shown = [layers.find(model, layer)] if layer else layers.stages(model)
    seen = shown[0] if layer else layers.last_with_maps(model)
    of_filters = [each for each in shown if layers.has_filters(each)] if layer else layers.with_filters(model)
    for number, each in enumerate(of_filters, 1):
        file = folder / f"filters-{number}-{_part(each.name)}.png"
        plots.filters(file, filters(model, each), each.name)
        yield Drawn(file, f"filters of {each.name}")
    digits = len(str(len(shown)))
    for number, (each, maps) in enumerate(zip(shown, layers.activations(model, shown, pixels), strict=True), 1):
        file = folder / f"maps-{number:0{digits}}-{_part(each.name)}.png"
        plots.feature_maps(file, maps, layers.strongest(maps), each.name)
        yield Drawn(file, f"feature maps of {each.name}")
    file = folder / "grad-cam.png"
    evidence = grad_cam(model, seen, pixels, [each.index for each in best])
    plots.class_activation(file, pixels, evidence, _captions(best), f"Grad-CAM at {seen.name}")
    yield Drawn(file, f"Grad-CAM at {seen.name}: {', '.join(_captions(best))}")


def into_file(
    folder: Path, classifier: Classifier, pixels: Pixels, top: int, told: Callable[[int, int], None]
) -> Iterator[Drawn]:
    """The occlusion map of an exported file for one picture; arguments as of :func:`into_model`.

    ``told`` hears how many pictures of the occlusion are done, and of how many.
    """
    score = classifier.backend.scores
    best = classifier.ranked(score(pixels[np.newaxis])[0], top)
    file = folder / "occlusion.png"
    falls = occlusion(score, pixels, [each.index for each in best], told)
    plots.hidden(file, pixels, falls, _captions(best), f"Occlusion, {classifier.backend.name}")
    yield Drawn(file, f"occlusion: {', '.join(_captions(best))}")


def contact_sheet(folder: Path, drawn: Sequence[Drawn], title: str) -> Drawn:
    """All of them on one contact sheet."""
    file = folder / "contact-sheet.png"
    plots.contact_sheet(file, [each.file for each in drawn], title)
    return Drawn(file, "all of them")


def _captions(best: Sequence[Prediction]) -> list[str]:
    return [f"{each.label} {each.score:.1%}" for each in best]


def _part(name: str) -> str:
    """A layer's name, which comes from a file, as a part of another file's name."""
    return re.sub(r"[^\w.-]+", "-", name)[:60]
