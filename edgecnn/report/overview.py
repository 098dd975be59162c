"""A network at a glance: the figures that a reader looks for first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from edgecnn.report.answers import KERAS, Evidence
from edgecnn.report.comparison import proved_at_export
from edgecnn.report.inside import Layers
from edgecnn.report.subjects import Subject
from edgecnn.tradeoffs import Choice
from edgecnn_runtime.wording import counted

Mood = Literal["good", "bad", "open"]


@dataclass(frozen=True)
class Tile:
    """One figure: what it is, its value, and what belongs to it."""

    title: str
    value: str
    note: str


@dataclass(frozen=True)
class Verdict:
    """Whether the files are still the network that was trained, in a few words and in more."""

    mood: Mood
    short: str
    note: str


def tiles(subject: Subject, evidence: Evidence | None, choices: Sequence[Choice], layers: Layers | None) -> list[Tile]:
    """Accuracy, parameters, the smallest and the fastest file, as far as they are known."""
    found = [_accuracy(subject, evidence)]
    if layers:
        found.append(Tile("Parameters", f"{layers.parameters:,}", f"{layers.multiply_adds:,} multiply-adds a picture"))
    if subject.files:
        small = min(subject.files, key=lambda each: each.size)
        found.append(Tile("Smallest file", f"{small.size / 1000:,.1f} kB", small.path.name))
    if choices:
        fast = min(choices, key=lambda each: each.latency)
        threads = counted(fast.cost.case.threads, "thread")
        note = f"{fast.cost.case.file.name} in {fast.cost.backend}, {threads}, on this machine"
        found.append(Tile("Fastest", f"{fast.latency:,.3f} ms", note))
    elif evidence and (timed := [each.of for each in evidence.answered if each.of]):
        quick = min(timed, key=lambda each: each.scores.latency)
        note = f"{quick.file.path.name} in {quick.scores.backend}, 1 thread, on this machine"
        found.append(Tile("Fastest", f"{quick.scores.latency:,.3f} ms", note))
    return found


def _accuracy(subject: Subject, evidence: Evidence | None) -> Tile:
    if evidence is None:
        said = subject.about.training.get("test_accuracy")
        known = isinstance(said, float)
        return Tile("Accuracy", f"{said:.2%}" if known else "not known", "after training, not measured again")
    measured = evidence.chief.metrics
    low, high = measured.interval
    whose = "the Keras model" if evidence.chief.name == KERAS else evidence.chief.name
    note = f"95 %: {low:.2%} to {high:.2%}; {measured.right:,} of {len(evidence.data):,} images, {whose}"
    return Tile("Accuracy", f"{measured.accuracy:.2%}", note)


def verdict(subject: Subject, evidence: Evidence | None) -> Verdict:
    """By what was compared here, else by what the files carry."""
    if not subject.files:
        return Verdict("open", "Not exported", "There is no exported file to compare.")
    if evidence and (evidence.rows or evidence.failures):
        return _compared(evidence)
    proved, files = proved_at_export(subject)
    if proved < files:
        return Verdict("bad", "Not proved", f"{files - proved} of {counted(files, 'file')} carry no proof that passed.")
    return Verdict("good", "Proved at export", f"The proof of {counted(files, 'file')} passed at export.")


def _compared(evidence: Evidence) -> Verdict:
    failed, count = sum(bool(each.failures) for each in evidence.rows), counted(len(evidence.rows), "comparison")
    if failed:
        return Verdict("bad", "Not the same model", f"{failed} of {count} with the Keras model failed here.")
    if evidence.failures:
        return Verdict("bad", "Not compared", "Not every file could be run here in every interpreter.")
    if evidence.weak:
        return Verdict("open", "Proves nothing", evidence.weak)
    return Verdict("good", "The same model", f"All {count} with the Keras model passed here.")
