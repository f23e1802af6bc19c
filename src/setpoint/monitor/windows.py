"""Which windows are complete, and which version answered them. Ticks are on the contract's axis: seconds or rows."""

import math
from collections.abc import Sequence
from itertools import pairwise

from setpoint.facts.signal import Window


def complete_windows(start: float, now: float, length: float) -> list[tuple[float, float]]:
    """Return the windows of one length that begin at `start` and are over at `now`, oldest first.

    Args:
        start: Tick at which the first window begins: the end of the last one that was looked at.
        now: The present tick.
        length: Ticks in a window, above 0.

    Raises:
        ValueError: `length` is not above 0.

    Returns:
        Half-open windows [start, end) without gaps; none while the first is not over.

    Example:
        >>> complete_windows(0.0, 25.0, 10.0)
        [(0.0, 10.0), (10.0, 20.0)]
    """
    if not length > 0:
        msg = f"a window needs a length above 0, got {length:g}"
        raise ValueError(msg)
    whole = max(0, math.floor((now - start) / length))
    # Each edge from the start, not from the edge before: sums of floats would drift apart.
    edges = [start + i * length for i in range(whole + 2)]
    return [(begin, end) for begin, end in pairwise(edges) if end <= now]


def by_version(
    window: tuple[float, float], promotions: Sequence[tuple[float, int]]
) -> tuple[Window, ...]:
    """Split a window where another version was promoted, so that no window mixes versions.

    Args:
        window: Start and end.
        promotions: Tick and version of each promotion, in order of time.

    Returns:
        Windows that together are the given one, oldest first, each of one version; what lies before the
        first promotion is no version's and is left out.

    Example:
        >>> [(w.start, w.end, w.version) for w in by_version((0.0, 10.0), [(-5.0, 1), (4.0, 2)])]
        [(0.0, 4.0, 1), (4.0, 10.0, 2)]
    """
    start, end = window
    found = []
    ends = [*(tick for tick, _ in promotions[1:]), math.inf]
    for (since, version), until in zip(promotions, ends, strict=False):
        first, last = max(start, since), min(end, until)
        if first < last:
            found.append(Window(start=first, end=last, version=version))
    return tuple(found)
