"""What can go wrong for a user, as exceptions.

::

    EdgeCNNError
    ├── UsageError         an argument asks for something that does not exist
    ├── ImageError         a file is missing or is not a usable picture
    ├── ModelFileError     a model file is missing, damaged, or not one of ours
    ├── BackendError       no installed interpreter can run a model file
    ├── DataError          a data set is missing, incomplete or altered
    ├── TrainingError      a run cannot be started, continued or read
    └── ExportError        a model cannot be converted
        └── ParityError    a converted model does not give the original's answers

Libraries raise these; only ``edgecnn.cli.main`` turns them into an ``error:`` line and an exit status.
A message names the thing that is wrong and says what to do about it, in one line.
"""

from __future__ import annotations


def first_line(problem: BaseException) -> str:
    """A library's message, cut to one line; its kind, where it has none."""
    return next(iter(str(problem).strip().splitlines()), type(problem).__name__)


class EdgeCNNError(Exception):
    """Base of every error that a user can cause or mend."""


class UsageError(EdgeCNNError):
    """An argument asks for something that does not exist; the command line exits with status 2."""


class ImageError(EdgeCNNError):
    """A file is missing or is not a usable picture."""


class ModelFileError(EdgeCNNError):
    """A model file is missing, damaged, or was not written by edgecnn."""


class BackendError(EdgeCNNError):
    """No installed interpreter can run a model file, or another library lacks what that needs."""


class DataError(EdgeCNNError):
    """A data set is missing, incomplete or altered."""


class TrainingError(EdgeCNNError):
    """A training run cannot be started, continued or read."""


class ExportError(EdgeCNNError):
    """A model cannot be converted."""


class ParityError(ExportError):
    """A converted model does not give the original's answers."""
