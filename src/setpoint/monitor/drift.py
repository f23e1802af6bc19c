"""Drift of the inputs: each column against its reference, and the share of columns that drifted."""

from collections.abc import Sequence

from setpoint.contract.contract import Contract
from setpoint.facts.signal import Signal, Window
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.monitor.answered import Answered
from setpoint.monitor.counting import Counted
from setpoint.monitor.distance import distance_signals

NAMED = 3  # columns that a reason names


def drift_signals(
    contract: Contract, answered: Answered, counted: Sequence[Counted]
) -> list[Signal]:
    """Return `drift.share`, then `drift.<column>` for each column of the reference.

    Args:
        contract: Has the limits under `monitor.drift`.
        answered: The window.
        counted: Its columns, counted.
    """
    rules = contract.monitor.drift
    names = [f"drift.{column.profile.name}" for column in counted]
    columns = distance_signals(counted, names, answered.window, rules)
    watched = [
        signal for signal, column in zip(columns, counted, strict=True) if not column.is_withheld
    ]
    share = _share(watched, answered.window, float(rules.share), len(columns) - len(watched))
    return [share, *columns]


def _share(columns: Sequence[Signal], window: Window, limit: float, withheld: int) -> Signal:
    """The share of columns that surely drifted; a column that is not known to be either widens the interval.

    Columns that are withheld from the log by the contract are nobody's to watch: they are not among these.
    """
    parts = tuple(signal.verdict for signal in columns)
    numbers = {key: value for signal in columns for key, value in signal.numbers.items()}
    rows = max((part.n or 0 for part in parts), default=0)
    if not any(part.verdict in ("pass", "fail") for part in parts):
        reason = parts[0].reason if parts else _nothing_watched(withheld)
        verdict = Verdict(
            subject=f"drift.share max {limit:g}", verdict="inconclusive", n=rows, reason=reason
        )
        return Signal(name="drift.share", window=window, value=None, verdict=verdict, parts=parts)
    drifted = [s for s in columns if s.verdict.verdict == "fail"]
    open_ = [s for s in columns if s.verdict.verdict in ("inconclusive", "error")]
    low, high = len(drifted) / len(parts), (len(drifted) + len(open_)) / len(parts)
    ruling: Ruling = "inconclusive"
    if low > limit:
        ruling = "fail"
    elif high <= limit:
        ruling = "pass"
    return Signal(
        name="drift.share",
        window=window,
        value=low,
        verdict=Verdict(
            subject=f"drift.share max {limit:g}",
            verdict=ruling,
            observed=low,
            limit=limit,
            interval=(low, high),
            n=rows,
            reason=_reason(drifted, open_, len(parts), withheld),
            evidence={"drifted": len(drifted), "not_known": len(open_), "columns": len(parts)}
            | ({"not_logged": withheld} if withheld else {}),
        ),
        parts=parts,
        numbers=numbers,
    )


def _nothing_watched(withheld: int) -> str:
    return "no column is logged as it was" if withheld else "the reference has no columns"


def _reason(drifted: Sequence[Signal], open_: Sequence[Signal], columns: int, withheld: int) -> str:
    words = [f"{len(drifted)} of {columns} columns drifted"]
    if drifted:
        largest = sorted(drifted, key=lambda signal: -(signal.value or 0.0))[:NAMED]
        words.append("most: " + ", ".join(s.name.removeprefix("drift.") for s in largest))
    if open_:
        words.append(f"{len(open_)} are not known")
    if withheld:
        words.append(f"{withheld} more are not logged as they were")
    return "; ".join(words)
