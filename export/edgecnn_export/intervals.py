"""How sure a share of images is, and how much better one of two classifiers is on the same ones: 95 % intervals."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Interval = tuple[float, float]

Z95 = 1.959964
"""Of the standard normal distribution, two-sided."""


def wilson(right: int, count: int) -> Interval:
    """The 95 % score interval of a share, 0 to 1, sensible for few images too and for shares near 0 and 1.

    Wilson, "Probable inference, the law of succession, and statistical inference", 1927.
    """
    share, z2 = right / count, Z95**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    spread = Z95 * np.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(0.0, float(centre - spread)), min(1.0, float(centre + spread))


def accuracy_change(right: npt.NDArray[np.bool_], reference_right: npt.NDArray[np.bool_]) -> tuple[float, Interval]:
    """Change of accuracy in points between two classifiers on the same images, and its 95 % interval.

    The interval is Agresti and Min's adjusted one for paired proportions (2005, "Simple improved confidence
    intervals for comparing matched proportions"): half an observation is added to each cell of the 2 x 2 table.

    Args:
        right: whether the one is right on each image, shape (N,).
        reference_right: whether the other is, shape (N,).
    """
    count = len(right)
    gained, lost = int((right & ~reference_right).sum()), int((~right & reference_right).sum())
    total = count + 2
    centre = (gained - lost) / total
    spread = Z95 * np.sqrt(gained + lost + 1 - (gained - lost) ** 2 / total) / total
    return 100 * (gained - lost) / count, (100 * float(centre - spread), 100 * float(centre + spread))
