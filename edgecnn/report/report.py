"""A report: everything about some trained networks and their files, on one page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from edgecnn import __version__
from edgecnn.report import cards, comparison, costs, inside, overview, page, quality, training
from edgecnn.report.answers import Evidence, collect
from edgecnn.report.costs import Costs
from edgecnn.report.subjects import Subject
from edgecnn_export import keras_file
from edgecnn_export.comparison import complaints
from edgecnn_export.dataset import Dataset

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Told:
    """Who hears of the work: in words, and of the measurements how many of how many are done."""

    work: Callable[[str], None]
    measuring: Callable[[int, int], None]


@dataclass(frozen=True)
class Report:
    """A page, and what went wrong in what it is about."""

    html: str
    complaints: list[str]
    failures: list[str]


def make(
    subjects: Sequence[Subject],
    images: Callable[[Subject], Dataset | None],
    rounds: int,
    told: Told,
    command: str,
    data: Path | None,
) -> Report:
    """Measure everything and fill the page.

    Args:
        subjects: the networks.
        images: the test images of each; None where there are none.
        rounds: of the benchmark; 0 for none.
        told: of the work.
        command: that asked for the report, without its options.
        data: what was named as the images; the page's other commands then name it, too.
    """
    tests = [images(each) for each in subjects]
    files = [file for each in subjects for file in each.files]
    # Before Keras is loaded, whose memory and threads would be beside it.
    measured = costs.measured(files, rounds, told.measuring) if rounds and files else None
    parts, problems, failures = [], list[str](), [why for _, why in measured.failures] if measured else []
    for number, (subject, seen) in enumerate(zip(subjects, tests, strict=True), 1):
        model = None if subject.keras is None else _loaded(subject.keras)
        evidence = None if seen is None else collect(subject, model, seen, told.work)
        if evidence:
            problems += complaints(evidence.rows)
            failures += evidence.failures
        told.work(f"the page of {subject.about.name}")
        parts.append(_part(f"n{number}", subject, model, evidence, measured))
    html = page.rendered(
        parts=parts, together=_together(parts), measured=measured, command=command, data=data, version=__version__
    )
    return Report(html, problems, failures)


def _together(parts: Sequence[dict[str, Any]]) -> Markup | None:
    """The files of several networks in one chart, if they were measured on the same images."""
    of_files = [each for each in parts if each["choices"]]
    data = {each["evidence"] and each["evidence"].data.fingerprint for each in of_files}
    if len(of_files) < 2 or len(data) > 1:
        return None
    return costs.chart([choice for each in of_files for choice in each["choices"]], "together")


def _loaded(path: Path) -> keras.Model:
    from edgecnn.training import keras_backend

    keras_backend.exact(keras_backend.choose())
    return keras_file.load(path)[0]


def _part(
    name: str, subject: Subject, model: keras.Model | None, evidence: Evidence | None, measured: Costs | None
) -> dict[str, Any]:
    """What the page says of one network; ``name`` begins the names of its places and figures."""
    seen = evidence if evidence and evidence.answered else None
    layers = inside.layers(model)
    choices = costs.choices(measured, subject.files, seen) if measured else []
    found: dict[str, Any] = {
        "name": name,
        "subject": subject,
        "evidence": seen,
        "failures": evidence.failures if evidence else [],
        "tiles": overview.tiles(subject, seen, choices, layers),
        "verdict": overview.verdict(subject, evidence),
        "recipe": training.recipe(subject.record),
        "facts": training.facts(subject.record),
        "curves": training.curves(subject.record, name),
        "choices": choices,
        "unmeasured": costs.failures(measured, subject.files) if measured else [],
        "chart": costs.chart(choices, name) if choices else None,
        "layers": layers,
        "operators": inside.operators(subject.files),
        "refused": [(each, comparison.why_refused(each)) for each in subject.refused],
        "cards": [(each, cards.shown(each)) for each in subject.files],
    }
    if seen:
        metrics = seen.chief.metrics
        found |= {
            "metrics": metrics,
            "matrix": quality.matrix(seen, name),
            "classes": metrics.by_class(seen.data.label_names),
            "confused": quality.confused(seen),
            "best": quality.best(seen),
            "worst": quality.worst(seen, model),
            "lines": comparison.lines(seen),
            "differing": comparison.differing(seen),
        }
    return found
