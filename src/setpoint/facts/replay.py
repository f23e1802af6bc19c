"""The replay: what a contract would have done over history, beside three ways of doing without it."""

from html import escape
from math import isfinite
from typing import Any, Literal

import msgspec

from setpoint.clock import Axis, say_tick
from setpoint.facts.decision import Decision
from setpoint.facts.verdict import Ruling

LineName = Literal["static", "scheduled", "no_change", "loop"]

LINES: dict[LineName, str] = {
    "loop": "this contract: retrained, gated and released as it says",
    "scheduled": "refitted on a schedule, without gates",
    "static": "trained once, then left alone",
    "no_change": "the last known label, without a model",
}
"""The four lines of a replay, in the order people read them, in words."""


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of history and how each line did on its rows.

    Args:
        start: First tick.
        end: Tick after the last row.
        n: Rows that were judged; those without a label are not among them.
        static: Metric of the model trained once; None where it is not defined on these rows.
        scheduled: Metric of the model refitted on a schedule.
        no_change: Metric of the last known label.
        loop: Metric of what the loop had in production, row by row.
    """

    start: float
    end: float
    n: int
    static: float | None = None
    scheduled: float | None = None
    no_change: float | None = None
    loop: float | None = None

    def of(self, line: LineName) -> float | None:
        """Return the metric of one line; None where it is not a finite number."""
        return _known(getattr(self, line))


class DriftCell(msgspec.Struct, frozen=True, kw_only=True):
    """One column in one window: how far it lies from the reference, and what that means.

    Args:
        column: Column name.
        start: First tick of the window.
        end: Tick after the window.
        distance: Total variation distance, 0 to 1; None where it could not be measured.
        verdict: `fail` is drift.
    """

    column: str
    start: float
    end: float
    distance: float | None
    verdict: Ruling


class GateCost(msgspec.Struct, frozen=True, kw_only=True):
    """What one judgement of the gates turned out to be worth, measured on the rows that came after it.

    Args:
        attempt: The attempt that was judged, of a promotion too.
        version: Its version, where it was promoted.
        at: Tick of the judgement.
        action: `promote` or `refuse`.
        gain: Metric of the candidate minus that of the champion it met, on the following rows, counted so that
            above 0 the candidate was better whichever way the metric runs; None where it is not known.
        interval: Lower and upper bound of `gain`.
        n: Following rows it was measured on.
    """

    attempt: str
    version: int | None = None
    at: float
    action: Literal["promote", "refuse"]
    gain: float | None
    interval: tuple[float, float] | None = None
    n: int | None = None

    @property
    def worth(self) -> float | None:
        """What the judgement gained against the opposite one; below 0 it cost something."""
        if self.gain is None:
            return None
        return self.gain if self.action == "promote" else -self.gain


class ReplaySettings(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay was told beside its contract and table; with them it comes out the same again.

    Args:
        start: First row that was answered, counted from 0.
        start_at: Its tick.
        batch: Rows or time between two looks of the loop, such as `250 rows` or `7d`.
        label_delay: How long after its row a label counted as known, such as `48 rows`.
        seed: Seed of every fit.
    """

    start: int
    start_at: float
    batch: str
    label_delay: str
    seed: int


class Replay(msgspec.Struct, frozen=True, kw_only=True):
    """A contract replayed over history. Gives the same again for the same table, contract and seed, but for seconds.

    Args:
        name: Name of the model.
        source: Where the rows came from.
        contract: Digest of the contract.
        rows: Rows that were replayed, those of the first fit included.
        metric: Metric of the lines.
        direction: Whether a `higher` or `lower` metric is better.
        axis: `time` or `rows`: what ticks count.
        static: Metric over all judged rows of the model trained once; None where it is not defined.
        scheduled: The same of the model refitted on a schedule.
        no_change: The same of the last known label.
        loop: The same of the loop.
        schedule: What the line `scheduled` did, in words.
        batches: The lines over time, in order.
        fits: Fits of the loop.
        scheduled_fits: Fits of the line `scheduled`; None where they were not counted.
        promotions: Versions that became champion.
        rollbacks: Releases or promotions that were taken back.
        refused: Candidates that the gates refused.
        data_blocked: Batches of rows that validation kept out.
        seconds: Seconds of the whole replay.
        fit_predict_seconds: Seconds of them inside fit and predict.
        decisions: Every decision of the loop, in order.
        drift: Heat map: each column in each window.
        gate_costs: What each judgement turned out to be worth.
        notes: What people should know when they read the numbers, as sentences.
        settings: What the replay was told; None where it is not known.
    """

    name: str = ""
    source: str = ""
    contract: str = ""
    rows: int
    metric: str
    direction: Literal["higher", "lower"]
    axis: Axis
    static: float | None
    scheduled: float | None
    no_change: float | None
    loop: float | None
    schedule: str = ""
    batches: tuple[Batch, ...] = ()
    fits: int
    scheduled_fits: int | None = None
    promotions: int
    rollbacks: int
    refused: int
    data_blocked: int
    seconds: float
    fit_predict_seconds: float
    decisions: tuple[Decision, ...] = ()
    drift: tuple[DriftCell, ...] = ()
    gate_costs: tuple[GateCost, ...] = ()
    notes: tuple[str, ...] = ()
    settings: ReplaySettings | None = None

    def of(self, line: LineName) -> float | None:
        """Return the metric of one line over all judged rows; None where it is not a finite number."""
        return _known(getattr(self, line))

    def better(self, line: LineName, other: LineName) -> float | None:
        """Return by how much `line` is better than `other`, whichever way the metric runs; None where unknown."""
        mine, theirs = self.of(line), self.of(other)
        if mine is None or theirs is None:
            return None
        return mine - theirs if self.direction == "higher" else theirs - mine

    def to_json(self) -> dict[str, Any]:
        """Return plain data for JSON; what is not a finite number is None."""
        plain: dict[str, Any] = _finite(msgspec.to_builtins(self))
        return plain

    def _repr_html_(self) -> str:
        """Return the four lines and the counts as a plain table, for notebooks."""
        lines = "".join(
            f"<tr><td>{name}</td><td>{escape(words)}</td>"
            f"<td style='text-align:right'>{_number(self.of(name))}</td></tr>"
            for name, words in LINES.items()
        )
        counts = (
            f"{self.rows:,} rows, {self.fits:,} fits, {self.promotions:,} promotions, {self.refused:,} refused, "
            f"{self.rollbacks:,} rolled back, {self.data_blocked:,} batches blocked, {self.seconds:,.1f} s"
        )
        span = ""
        if self.batches:
            first, last = self.batches[0].start, self.batches[-1].end
            span = f", {say_tick(first, self.axis)} to {say_tick(last, self.axis)}"
        notes = "".join(f"<p>Note: {escape(note)}</p>" for note in self.notes)
        return (
            f"<table><thead><tr><th>line</th><th>what it is</th><th>{escape(self.metric)} "
            f"({self.direction} is better)</th></tr></thead><tbody>{lines}</tbody></table>"
            f"<p>{escape(counts + span)}</p>{notes}"
        )


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _known(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _finite(plain: Any) -> Any:
    if isinstance(plain, dict):
        return {key: _finite(value) for key, value in plain.items()}
    if isinstance(plain, list | tuple):
        return [_finite(value) for value in plain]
    if isinstance(plain, float) and not isfinite(plain):
        return None
    return plain
