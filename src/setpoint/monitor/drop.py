"""The fall of the watched metric below its value at release, over all labelled rows since then, valid at every look.

The fall is measured from the bound of the value at release that is worse (the lower one where higher is better),
since the version was chosen by those very rows. It is looked for over the stretch from the release to now and over
later stretches that end now, so that a fall after half a good year is found in weeks. Stretches begin at every 500th
row; the k-th beginning has alpha / (k (k + 1)), and each stretch a confidence sequence, so that all looks at all
stretches together alarm falsely with probability alpha at most, about. Rows that resemble their neighbours count as
many as they are worth.

References:
    Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, Time-uniform central limit theory and asymptotic confidence
    sequences. Podkopaev, Ramdas 2022, Tracking the risk of a deployed model and detecting harmful distribution shifts.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from setpoint.contract.contract import Contract
from setpoint.contract.shares import Change
from setpoint.errors import (
    ContractError,
    MeasurementError,
    TooFewSamplesError,
    UndefinedMetricError,
)
from setpoint.facts.evidence import Floats, Ints
from setpoint.facts.signal import Signal, Window
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.facts.version import ModelVersion
from setpoint.monitor.answered import AtRelease, Outcomes
from setpoint.monitor.estimate import influence
from setpoint.monitor.metric import Rows, labelled_rows, metric_for, watched_metric
from setpoint.stats.effective_size import MIN_WINDOWS, design_effect
from setpoint.stats.mean_sequence import mean_sequence_width
from setpoint.stats.metrics import Metric
from setpoint.stats.spending import alpha_for_candidate

NAME = "performance.drop"
ALPHA = 0.05
"""Probability of bounds that ever miss, over all looks; half of it on the side that alarms."""

_GRID = 500  # rows between two beginnings of stretches
_LEAST = 100  # effective rows of a stretch: fewer are too few for a normal law
_TIGHTEST = 1000  # effective rows for which bounds are tightest: a small fall needs that many
_SHRINK = 2**-0.5  # of one stretch to the next shorter one that is looked at
_WINDOWS = 32  # own windows by which the spread of means is told


@dataclass(frozen=True)
class Fall:
    """The fall over the stretch that shows it most surely.

    Args:
        value: Fall in the metric's unit, positive where it is worse than at release.
        low: Lower bound.
        high: Upper bound.
        rows: Labelled rows of the stretch.
        worth: Independent rows that they are worth.
    """

    value: float
    low: float
    high: float
    rows: int
    worth: float


def drop_signal(
    contract: Contract, window: Window, outcomes: Outcomes, at_release: AtRelease | None
) -> Signal:
    """Return `performance.drop`, in the metric's unit; `reference` in the evidence is what it fell from.

    Args:
        contract: Has the metric, the fall that is a breach and the least coverage under `monitor.performance`.
        window: The window of this look, for the record.
        outcomes: All labelled rows since the release.
        at_release: The metric at the release; None where it is not known.
    """
    rules = contract.monitor.performance
    subject = f"{NAME} max {rules.drop}"
    known = len(outcomes.truth)
    due = known if outcomes.due is None else outcomes.due
    if at_release is None:
        return _unmeasured(window, subject, "inconclusive", "the value at release is not known")
    if due == 0 or known / due < rules.min_coverage:
        reason = f"{known} of {due} answers have a known outcome; {float(rules.min_coverage):.0%} are needed"
        return _unmeasured(window, subject, "inconclusive", reason)
    try:
        metric = metric_for(watched_metric(contract), len(outcomes.classes))
        rows = labelled_rows(
            metric, outcomes.classes, outcomes.scores, outcomes.truth, ordered=outcomes.ordered
        )
        reference = at_release.low if metric.higher_is_better else at_release.high
        found = fall(metric, rows, reference)
    except TooFewSamplesError as error:
        return _unmeasured(window, subject, "inconclusive", str(error))
    except (ContractError, MeasurementError) as error:
        return _unmeasured(window, subject, "error", str(error))
    limit = rules.drop.of(reference)
    ruling, words = _rule(found, rules.drop, reference)
    moved = "fell" if metric.higher_is_better else "rose"
    reason = (
        f"{metric.name} {moved} by {found.value:.4g} (between {found.low:.4g} and {found.high:.4g}) from "
        f"{reference:.4g} over the last {found.rows} labelled rows: {words}"
    )
    return Signal(
        name=NAME,
        window=window,
        value=found.value,
        verdict=Verdict(
            subject=subject,
            verdict=ruling,
            observed=found.value,
            limit=limit,
            interval=(found.low, found.high),
            n=found.rows,
            reason=reason,
            evidence={
                "reference": reference,
                "at_release": at_release.value,
                "labelled": known,
                "n_effective": found.worth,
                "alpha": ALPHA,
            },
        ),
    )


def fall(metric: Metric, rows: Rows, reference: float, *, alpha: float = ALPHA) -> Fall:
    """Return the fall of a metric below a reference over the stretch that shows it most surely.

    Args:
        metric: Which one.
        rows: All labelled rows since the release, in the order in which labels arrived.
        reference: What it falls from.
        alpha: Probability that bounds ever miss, over all looks and stretches, about.

    Raises:
        TooFewSamplesError: The rows are worth fewer than a hundred independent ones.
        UndefinedMetricError: The rows do not define the metric.
    """
    n = len(rows.truth)
    if n < _LEAST:
        raise TooFewSamplesError(NAME, needed=_LEAST, found=n)
    spread, effect = _spread(metric, rows)
    least = _LEAST * effect
    if n < least:
        raise TooFewSamplesError(NAME, needed=int(np.ceil(least)), found=n)
    starts = _starts(n, least)
    values = _values(metric, rows, starts)
    lengths = n - starts
    # The larger of the spread over all rows and over the stretch: a fall may make errors wilder.
    squares = np.concatenate([[0.0], np.cumsum(spread**2)])
    variance = np.maximum((squares[n] - squares[starts]) / lengths, squares[n] / n)
    sign = 1.0 if metric.higher_is_better else -1.0
    half = np.array(
        [
            float(
                mean_sequence_width(
                    length / effect,
                    np.sqrt(share),
                    alpha=alpha_for_candidate(alpha, int(start) // _GRID + 1),
                    tightest_at=_TIGHTEST,
                )
            )
            for start, length, share in zip(starts, lengths, variance, strict=True)
        ]
    )
    fallen = sign * (reference - values)
    low = np.where(np.isfinite(fallen), fallen - half, -np.inf)
    best = int(low.argmax())
    return Fall(
        value=float(fallen[best]),
        low=float(low[best]),
        high=float(fallen[best] + half[best]),
        rows=int(lengths[best]),
        worth=float(lengths[best] / effect),
    )


def labels_needed(gap: float, deviation: float, *, before: int = 0, alpha: float = ALPHA) -> int:
    """Return about how many labels it takes until a fall is sure, in half of all cases.

    Args:
        gap: How far the metric is beyond reference and allowed drop, in its unit, above 0.
        deviation: Standard deviation of one row's part in the metric, such as sqrt(p (1 - p)) for accuracy p.
        before: Labelled rows since the release that were fine.
        alpha: As in `fall`.

    Raises:
        ValueError: The gap is not above 0.
    """
    if gap <= 0:
        msg = f"a fall that stays within what is allowed is never found, got a gap of {gap:g}"
        raise ValueError(msg)
    spent = alpha_for_candidate(alpha, before // _GRID + 1)
    few, many = 1.0, 1e12
    while many / few > 1.0 + 1e-6:
        middle = float(np.sqrt(few * many))
        width = mean_sequence_width(middle, deviation, alpha=spent, tightest_at=_TIGHTEST)
        is_sure = float(width) <= gap
        few, many = (few, middle) if is_sure else (middle, many)
    return max(_LEAST, int(np.ceil(many)))


def value_at_release(version: ModelVersion, metric: str) -> AtRelease | None:
    """Return what a registered version reached on the gate's rows; None where that is not known."""
    value = version.metrics.get(metric)
    if value is None:
        return None
    low, high = version.intervals.get(metric, (value, value))
    return AtRelease(value, low, high)


def _starts(n: int, least: float) -> Ints:
    """Beginnings on the grid, each stretch about .7 times the one before; the first is the release."""
    starts = {0}
    length = n * _SHRINK
    while length >= least:
        start = int(np.ceil((n - length) / _GRID)) * _GRID
        if n - start >= least:
            starts.add(start)
        length *= _SHRINK
    return np.array(sorted(starts), dtype=np.int64)


def _values(metric: Metric, rows: Rows, starts: Ints) -> Floats:
    """The metric over each stretch to the end; NaN where it is not defined."""
    n = len(rows.truth)
    if metric.row_statistics is not None and metric.from_sums is not None:
        stat = metric.row_statistics(rows.truth, rows.answer, rows.classes)
        sums = np.add.reduceat(stat, starts, axis=0)[::-1].cumsum(axis=0)[::-1]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(metric.from_sums(sums), dtype=np.float64)
    found = []
    for start in starts:
        part = rows.part(int(start), n)
        try:
            found.append(metric.evaluate(part.truth, part.answer, part.classes))
        except MeasurementError:
            found.append(np.nan)
    return np.array(found)


def _spread(metric: Metric, rows: Rows) -> tuple[Floats, float]:
    """Each row's part in the metric on the scale of one row, shape (n,), and rows per independent row."""
    n = len(rows.truth)
    parts = influence(metric, rows)
    if parts is not None:
        spread: Floats = parts * n
        if not spread.any():  # all rows alike, as where all are right: one might have been wrong
            spread = np.full(n, 1.0 / np.sqrt(n))
        return spread, _effect(spread) if rows.ordered else 1.0
    # Metrics without sums: how much the metric of consecutive pieces differs, on the scale of one row.
    pieces = max(2, min(_WINDOWS, n // _LEAST))
    edges = np.arange(pieces + 1) * n // pieces
    each = np.array(
        [
            _values(metric, rows.part(int(a), int(b)), np.zeros(1, dtype=np.int64))[0]
            for a, b in pairwise(edges)
        ]
    )
    steps = np.diff(each[np.isfinite(each)])
    if not steps.any():
        raise UndefinedMetricError(
            f"{metric.name} does not vary enough on these {n} rows to judge it"
        )
    # Pieces resemble each other as their rows do: their spread has the design effect in it.
    return np.full(n, np.sqrt(float(np.mean(steps**2)) / 2 * n / pieces)), 1.0


def _effect(spread: Floats) -> float:
    """Rows per independent row: by correlations, or by how means of windows move where that is more."""
    n = spread.size
    by_lags = design_effect(_without_step(spread))
    pieces = min(_WINDOWS, n // _LEAST)
    if pieces < MIN_WINDOWS:
        return by_lags
    means = np.add.reduceat(spread, np.arange(pieces) * n // pieces) * pieces / n
    # From one mean to the next: a single fall, which is no correlation, counts once and not in all of them.
    variance = float(np.mean(np.diff(means) ** 2)) / 2
    by_means = variance * n / pieces / float(np.mean(spread**2))
    return max(1.0, by_lags, by_means)


def _without_step(series: Floats) -> Floats:
    """Return a series less its largest single change of level: a fall itself is no resemblance of neighbours."""
    sums = np.cumsum(series - series.mean())
    cut = int(np.abs(sums[:-1]).argmax()) + 1
    return np.concatenate([part - part.mean() for part in (series[:cut], series[cut:])])


def _rule(found: Fall, allowed: Change, reference: float) -> tuple[Ruling, str]:
    limit = allowed.of(reference)
    said = f"{allowed}, that is {limit:.4g}" if allowed.relative else f"{limit:.4g}"
    if found.low > limit:
        return "fail", f"surely by more than {said}"
    if found.high <= limit:
        return "pass", f"surely by no more than {said}"
    return "inconclusive", f"not yet known whether by more than {said}"


def _unmeasured(window: Window, subject: str, ruling: Ruling, reason: str) -> Signal:
    verdict = Verdict(subject=subject, verdict=ruling, reason=reason)
    return Signal(name=NAME, window=window, value=None, verdict=verdict)
