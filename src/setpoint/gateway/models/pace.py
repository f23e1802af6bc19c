"""How fast a model works through rows, learnt from its runs: how large a run should be, and what a queue can promise.

A run of n rows is taken to last a + b·n seconds; both are fitted to the runs so far, later ones counting more. While
all had about the same number of rows, nothing tells a from b: b stays what it was, at first 0. So a queue promises too
much rather than too little, and runs grow step by step, until a larger run shows what rows cost.
"""

import math

_KEPT = 0.9  # what the runs before count for when another is learnt: the latest twenty or so matter
_SPREAD = 0.01  # of the squared mean of rows: the variance below which b cannot be told
_LONGEST_S = 0.1  # how long a run should last at most, since who comes meanwhile waits for its end…
_FIXED_SHARE = 10  # …unless a is so long that more than a tenth of the time would go into it
_STEP = 8  # how many times as large as those before a run may be, of which nobody knows how long it lasts…
_SURE_S = 1.0  # …unless it lasts no longer than this even if rows cost all the time


class Pace:
    """The pace of one model. Used on one event loop only."""

    __slots__ = ("_fixed_s", "_row_s", "_rows", "_seconds", "_squares", "_together", "_weight")

    def __init__(self) -> None:
        self._weight = 0.0
        self._rows = self._seconds = self._squares = self._together = 0.0  # weighted sums
        self._fixed_s = self._row_s = 0.0  # a and b

    def learn(self, rows: int, seconds: float) -> None:
        """Take note of a run of one row or more."""
        self._weight = self._weight * _KEPT + 1.0
        self._rows = self._rows * _KEPT + rows
        self._seconds = self._seconds * _KEPT + seconds
        self._squares = self._squares * _KEPT + rows * rows
        self._together = self._together * _KEPT + rows * seconds
        mean_rows, mean_s = self._rows / self._weight, self._seconds / self._weight
        variance = self._squares / self._weight - mean_rows * mean_rows
        if variance > _SPREAD * mean_rows * mean_rows:
            self._row_s = (self._together / self._weight - mean_rows * mean_s) / variance
        self._row_s = min(max(0.0, self._row_s), mean_s / mean_rows)
        self._fixed_s = mean_s - self._row_s * mean_rows

    def wait_s(self, rows: int, most: int) -> float:
        """Return the seconds in which so many rows are worked off; 0 while nothing is known.

        Args:
            rows: The rows.
            most: Rows of one run, at most.
        """
        return math.ceil(rows / self.batch(most)) * self._fixed_s + rows * self._row_s

    def batch(self, most: int) -> int:
        """Return the rows of a run that lets those who come meanwhile wait neither long nor for nothing.

        Args:
            most: Rows, at most.
        """
        if self._row_s:
            longest_s = max(_LONGEST_S, _FIXED_SHARE * self._fixed_s)
            room = (longest_s - self._fixed_s) / self._row_s
        elif self._seconds:
            room = max(_STEP * self._rows / self._weight, _SURE_S * self._rows / self._seconds)
        else:
            return most
        return max(1, int(min(most, room)))
