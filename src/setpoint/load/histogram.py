"""Durations counted in buckets of equal ratio: any quantile to within half a per cent, in memory that does not grow."""

import math

_FIRST_S = 1e-6  # the end of the first bucket
_STEP = math.log(1.005)


class Histogram:
    """Counts durations."""

    __slots__ = ("_counts", "count", "longest")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.longest = 0.0

    def add(self, seconds: float, times: int = 1) -> None:
        """Count a duration."""
        place = math.ceil(math.log(seconds / _FIRST_S) / _STEP) if seconds > _FIRST_S else 0
        self._counts[place] = self._counts.get(place, 0) + times
        self.count += times
        self.longest = max(self.longest, seconds)

    def quantile(self, share: float) -> float:
        """Return the smallest duration that `share` of all do not exceed, rounded up to its bucket; 0 for none."""
        needed = math.ceil(share * self.count)
        seen = 0
        for place in sorted(self._counts):
            seen += self._counts[place]
            if seen >= needed:
                return min(_FIRST_S * math.exp(place * _STEP), self.longest)
        return 0.0
