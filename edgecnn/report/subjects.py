"""What a report is about: the words of a command line, put together by the training that they come from."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgecnn.training import record
from edgecnn.training.record import Record
from edgecnn_export import keras_file
from edgecnn_export.keras_file import About
from edgecnn_export.parity import Exported
from edgecnn_export.proof import rejected
from edgecnn_runtime.errors import TrainingError, UsageError

_EXPORTED = (".tflite", ".onnx")


@dataclass(eq=False)
class Subject:
    """One trained network, and all that is there of it.

    Attributes:
        about: what it is.
        keras: its Keras file, if there is one.
        folder: of its run, likewise.
        record: of its training; empty without a run.
        files: that were exported of it.
        refused: files in the folder of its run that export has put aside.
    """

    about: About
    keras: Path | None = None
    folder: Path | None = None
    record: Record = field(default_factory=Record)
    files: list[Exported] = field(default_factory=list)
    refused: list[Exported] = field(default_factory=list)


def gather(words: Sequence[Path]) -> list[Subject]:
    """The networks that are named, in the order in which they are first named.

    The folder of a run stands for its model and for the files that were exported into it. A file belongs to the
    network whose name, labels and training it names.

    Raises:
        UsageError: a word is none of these, or a network is there twice.
        TrainingError: a folder is not that of a finished run.
        ExportError: a Keras file cannot be read.
        ModelFileError: an exported file cannot be.
    """
    found: dict[str, Subject] = {}
    for path in _files(words):
        if path.suffix in _EXPORTED:
            file = Exported.open(path)
            contract = file.contract
            about = About(contract.model, contract.labels, contract.input, contract.training)
            found.setdefault(_key(about), Subject(about)).files.append(file)
        else:
            about = keras_file.read_about(path)
            subject = found.setdefault(_key(about), Subject(about))
            if subject.keras is not None:
                raise UsageError(f"{subject.keras} and {path} are the same training; name one of them")
            subject.keras = path
            if path.name == keras_file.IN_RUN_FOLDER:
                subject.folder, subject.record = path.parent, record.read(path.parent)
                subject.refused = [Exported.open(each) for each in _refused(path.parent)]
    return list(found.values())


def _files(words: Sequence[Path]) -> list[Path]:
    """Every file that is meant, once."""
    found: dict[str, Path] = {}
    for word in words:
        if word.is_dir():
            model = keras_file.locate(word)
            if not model.exists():
                raise TrainingError(
                    f"{word} holds no finished run ({keras_file.IN_RUN_FOLDER} is missing); "
                    "name a run of edgecnn train, or files"
                )
            exported = sorted(path for path in word.glob("[!.]*") if path.suffix in _EXPORTED and path.is_file())
            files = [model, *exported]
        elif word.suffix in (*_EXPORTED, ".keras"):
            files = [word]
        elif word.exists():
            raise UsageError(f"{word} is no model; name runs of edgecnn train, .keras, .tflite and .onnx files")
        else:
            raise UsageError(f"{word} does not exist; name runs of edgecnn train, .keras, .tflite and .onnx files")
        for file in files:
            found.setdefault(os.path.realpath(file), file)  # Path.resolve() fails at a link in a circle
    return list(found.values())


def _refused(folder: Path) -> list[Path]:
    return sorted(path for ending in _EXPORTED for path in folder.glob(f"*{rejected(Path(ending))}"))


def _key(about: About) -> str:
    """What a network and its exported files have in common."""
    return json.dumps([about.name, about.labels, vars(about.input), about.training], sort_keys=True)
