"""Answers that do not flicker: each the mean over the last pictures of a film."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from edgecnn_runtime.pipeline import Answer


def smoothed(answers: Iterable[Answer], frames: int) -> Iterator[Answer]:
    """The answers, with the mean of the scores of the last ``frames`` pictures as scores.

    The first ones average over those that there are. A picture that is not usable passes through and counts for
    nothing.
    """
    last: deque[npt.NDArray[np.float32]] = deque(maxlen=frames)
    for answer in answers:
        if answer.scores is None:
            yield answer
        else:
            last.append(answer.scores)
            yield answer._replace(scores=np.mean(last, axis=0))
