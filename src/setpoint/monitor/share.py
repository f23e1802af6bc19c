"""A share of a window's rows held against a limit: of missing values, of values outside the range, of failures."""

from dataclasses import dataclass

from setpoint.facts.signal import Signal, Window
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.stats.interval import wilson_interval


@dataclass(frozen=True)
class Part:
    """How many of a window's rows are of some kind.

    Args:
        count: Rows of that kind.
        rows: All rows.
        worth: Independent rows that they are worth; at most `rows`.
        confidence: Of the interval.
    """

    count: int
    rows: int
    worth: float
    confidence: float

    @property
    def share(self) -> float:
        """The share of rows, 0 to 1."""
        return self.count / self.rows

    @property
    def interval(self) -> tuple[float, float]:
        """Bounds of the true share."""
        return wilson_interval(self.share * self.worth, self.worth, confidence=self.confidence)


def share_signal(
    name: str, window: Window, part: Part, *, limit: float, min_rows: int, words: str
) -> Signal:
    """Return a share as a signal: `fail` when surely above the limit, `pass` when not above it.

    Args:
        name: Of the signal.
        window: The window, for the record.
        part: The share.
        limit: Largest share that is fine.
        min_rows: Fewer rows are inconclusive.
        words: What the rows are, such as `are missing`.
    """
    if part.rows == 0:
        return no_share(name, window, "inconclusive", "the window has no rows")
    low, high = part.interval
    ruling: Ruling
    reason = f"{part.count} of {part.rows} {words}; at most {limit:.3g} is fine"
    if part.rows < min_rows:
        ruling, reason = "inconclusive", f"min_rows {min_rows}, got {part.rows}"
    elif low > limit:
        ruling = "fail"
    elif part.share <= limit:
        ruling = "pass"
    else:
        ruling, reason = "inconclusive", f"{reason}, and this may be chance"
    return Signal(
        name=name,
        window=window,
        value=part.share,
        verdict=Verdict(
            subject=f"{name} max {limit:.3g}",
            verdict=ruling,
            observed=part.share,
            limit=limit,
            interval=(low, high) if part.rows >= min_rows else None,
            n=part.rows,
            reason=reason,
            evidence={"n_effective": part.worth, "confidence": part.confidence},
        ),
    )


def no_share(name: str, window: Window, ruling: Ruling, reason: str) -> Signal:
    """Return a signal that could not be measured."""
    verdict = Verdict(subject=name, verdict=ruling, n=0, reason=reason)
    return Signal(name=name, window=window, value=None, verdict=verdict)
