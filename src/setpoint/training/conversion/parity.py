"""Whether an ONNX model answers like the native one that it was made of."""

import numpy as np

from setpoint.facts.evidence import Scores

TOLERANCE = 1e-4
"""How far a probability may be off; for a value, relative to its size or the answers' spread."""

ROWS_FOR_ONE = 10_000
"""Rows among which one may get another class."""


def differing(native: Scores, other: Scores) -> str:
    """Return how answers differ by more than is allowed; empty where they agree.

    Every number must be within the tolerance. Of 10,000 rows one may get another class: where a probability is at the
    threshold, or two are equal, either class is a matter of rounding.
    """
    if native.value.size:
        spread = float(np.std(native.value))
        allowed = TOLERANCE * np.maximum(np.abs(native.value), spread)
        gap = np.abs(native.value - other.value)
        far = ~(gap <= allowed)  # NaN is far from everything
    else:
        gap = np.abs(native.probability - other.probability).max(axis=1, initial=0.0)
        far = ~(gap <= TOLERANCE)
    if far.any():
        return f"{np.count_nonzero(far)} of {len(far)} rows, by up to {float(gap.max()):.3g}"
    turned = int(np.count_nonzero(native.label != other.label))
    if turned * ROWS_FOR_ONE > len(native.label):
        return f"{turned} of {len(native.label)} rows get another class"
    return ""
