"""A decision tree of any library, as arrays."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from setpoint.facts.evidence import Bools, Floats, Ints


@dataclass(frozen=True)
class Tree:
    """One tree; node 0 is its root, and a node without children a leaf.

    Args:
        feature: Column that a node splits on, shape (nodes,).
        threshold: At most this goes left, shape (nodes,).
        left: Node that is next to the left, -1 for a leaf, shape (nodes,).
        right: Node that is next to the right, shape (nodes,).
        missing_left: Whether a missing value goes left, shape (nodes,).
        value: What a leaf adds, shape (nodes,).
        target: The sum that it is added to.
        members: For a node that splits categories, the codes that go left; all other numbers go right.
    """

    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    missing_left: Bools
    value: Floats
    target: int = 0
    members: Mapping[int, frozenset[float]] = field(default_factory=dict)


def float32_threshold(threshold: Floats) -> Floats:
    """Return t such that a double is at most t just where it is at most `threshold` after rounding to float32.

    scikit-learn's trees round their input, and ours comes in double.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        below = threshold.astype(np.float32)
        below = np.where(below > threshold, np.nextafter(below, np.float32(-np.inf)), below)
        above = np.nextafter(below, np.float32(np.inf)).astype(np.float64)
        middle = below + (above - below) / 2  # exact: float32 neighbours have double middles
        to_below = middle.astype(np.float32) == below
    exact = np.where(to_below, middle, np.nextafter(middle, -np.inf))
    return np.where(np.isfinite(below) & np.isfinite(above), exact, threshold)
