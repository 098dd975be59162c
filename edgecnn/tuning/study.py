"""The search as it is kept in its folder, so that it goes on where it ended, in as many processes as one likes.

``search.json`` says what is searched and how; ``journal.log`` is Optuna's own record (Akiba et al., 2019), of which
every line is written under a lock that works on network file systems too.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgecnn.training.recipe import Recipe
from edgecnn.tuning.space import Space, Values, suggest
from edgecnn_runtime.errors import EdgeCNNError, TrainingError

if TYPE_CHECKING:
    import optuna

SEARCH = "search.json"
JOURNAL = "journal.log"
_GIVEN = "given"  # marks the trials whose values were not drawn


def require_optuna() -> None:
    """Raise a ``TrainingError`` where Optuna is not installed."""
    if not find_spec("optuna"):
        raise TrainingError('tuning needs Optuna; install it with: pip install "edgecnn[tune]"')


def opened(folder: Path, about: dict[str, Any], epochs: int, first: Values) -> optuna.Study:
    """Begin the search in ``folder``, or go on with it.

    Args:
        folder: where it is, or will be.
        about: what tells this search from others; it must be JSON.
        epochs: of a trial. One that is below the median of the others is stopped after a quarter of them or later.
        first: values of the first trial.

    Raises:
        TrainingError: the folder holds another search, a damaged one, or cannot be written.
    """
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    journal = folder / JOURNAL
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _agree(folder / SEARCH, about)
        # Not the symbolic link that is Optuna's usual lock: of a relative path it never finds out that it is stale.
        lock = JournalFileOpenLock(str(journal))
        storage = JournalStorage(JournalFileBackend(str(_mended(journal, lock)), lock))
        pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=max(1, epochs // 4))
        try:
            study = optuna.create_study(storage=storage, study_name="recipes", direction="maximize", pruner=pruner)
            study.enqueue_trial(first, user_attrs={_GIVEN: True})
        except optuna.exceptions.DuplicatedStudyError:
            study = optuna.load_study(storage=storage, study_name="recipes", pruner=pruner)
    except OSError as problem:
        raise TrainingError(
            f"the search in {folder} cannot be kept ({problem.strerror}); choose another --out"
        ) from None
    except (ValueError, LookupError, TypeError) as problem:
        raise TrainingError(f"{journal} is damaged ({problem}); choose another --out") from None
    return study


def asked(study: optuna.Study, space: Space, seed: int) -> optuna.Trial:
    """The next trial, with its values.

    They follow from the seed, from how many were drawn before, and from what came of those: a search that was
    interrupted draws the same as one that was not, and no two processes draw the same.
    """
    import numpy as np
    import optuna

    trial = study.ask()
    before = [each for each in study.get_trials(deepcopy=False) if each.number < trial.number]
    drawn = sum(_GIVEN not in each.user_attrs for each in before)
    (number,) = np.random.SeedSequence((seed, drawn)).generate_state(1)
    study.sampler = optuna.samplers.TPESampler(seed=int(number))
    suggest(space, trial)
    return trial


def put_back(study: optuna.Study, trial: optuna.Trial) -> None:
    """Have another trial begin with the values of one that did not come to its end."""
    import optuna

    study.tell(trial, state=optuna.trial.TrialState.FAIL)
    study.enqueue_trial(trial.params, user_attrs={_GIVEN: True})


def ended(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    """The trials that came to an end, whether to the last epoch or not."""
    import optuna

    states = optuna.trial.TrialState
    return study.get_trials(deepcopy=False, states=(states.COMPLETE, states.PRUNED))


def best(study: optuna.Study) -> optuna.trial.FrozenTrial | None:
    """The trial with the highest validation accuracy after its last epoch, if one came so far."""
    import optuna

    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    return max(complete, key=lambda trial: (trial.value or 0.0, -trial.number), default=None)


@contextmanager
def beside(path: Path, text: str) -> Iterator[Path]:
    """A file of this process's own with that text, to be put in the place of ``path``; at the end it is gone."""
    own = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        own.write_text(text)
        yield own
    finally:
        own.unlink(missing_ok=True)


def _agree(path: Path, about: dict[str, Any]) -> None:
    """Write what is searched, whole or not at all, or compare it with what another process has written."""
    text = json.dumps(about, indent=2) + "\n"
    with beside(path, text) as own, suppress(FileExistsError):
        os.link(own, path)
    try:
        there = json.loads(path.read_text())
        if "recipe" in about:  # one that was written before a field existed has that field's default
            there["recipe"] = asdict(Recipe.from_dict(there["recipe"]))
        there = {"training": about.get("training")} | there  # searches had no such field once
        different = [name for name, value in json.loads(text).items() if there[name] != value]
    except (ValueError, LookupError, TypeError, EdgeCNNError):
        raise TrainingError(f"{path} is damaged; choose another --out") from None
    if different:
        raise TrainingError(
            f"{path.parent} holds a search with another {' and another '.join(different)} ({path.name} says which); "
            "choose another --out"
        )


def _mended(journal: Path, lock: Any) -> Path:
    """The journal without a last line that a power cut left unfinished: Optuna would refuse all that follows it."""
    lock.acquire()
    try:
        written = journal.read_bytes() if journal.exists() else b""
        whole = written.rfind(b"\n") + 1
        if whole < len(written):
            os.truncate(journal, whole)
    finally:
        lock.release()
    return journal
