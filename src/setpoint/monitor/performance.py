"""Realised performance: the watched metric over the window's labelled rows, and how many rows have a label."""

import numpy as np

from setpoint.contract.contract import Contract
from setpoint.contract.monitor import Performance
from setpoint.errors import ContractError, MeasurementError, TooFewSamplesError
from setpoint.facts.evidence import Scores
from setpoint.facts.signal import Signal
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.monitor.answered import Answered
from setpoint.monitor.estimate import estimate
from setpoint.monitor.metric import labelled_rows, metric_for, watched_metric
from setpoint.stats.interval import Estimate

COVERAGE = "performance.coverage"


def performance_signals(contract: Contract, answered: Answered) -> list[Signal]:
    """Return `performance.coverage` and `performance.<metric>`.

    Args:
        contract: Has the metric, its limits and the least coverage under `monitor.performance`.
        answered: A window whose labels are due.
    """
    rules = contract.monitor.performance
    known = _known(answered)
    coverage = _coverage(answered, int(known.sum()), float(rules.min_coverage))
    try:
        name = watched_metric(contract)
    except (ContractError, MeasurementError) as error:
        verdict = Verdict(subject="performance", verdict="error", reason=str(error))
        return [
            coverage,
            Signal(name="performance", window=answered.window, value=None, verdict=verdict),
        ]
    found: Estimate | None = None
    ruling: Ruling
    try:
        metric = metric_for(name, len(answered.classes))
        scores = scores_where(answered.scores, known)
        rows = labelled_rows(
            metric,
            answered.classes,
            scores,
            answered.truth[known],
            ordered=answered.ordered,
        )
        found = estimate(metric, rows)
    except TooFewSamplesError as error:
        ruling, reason = "inconclusive", str(error)
    except MeasurementError as error:
        ruling, reason = "error" if known.any() else "inconclusive", str(error)
    else:
        ruling, reason = _rule(found, rules)
        if coverage.verdict.verdict != "pass":
            ruling, reason = "inconclusive", coverage.verdict.reason
    is_covered = coverage.verdict.verdict == "pass"
    verdict = _verdict(f"performance.{name}", found if is_covered else None, ruling, reason, rules)
    return [
        coverage,
        Signal(
            name=f"performance.{name}",
            window=answered.window,
            value=None if found is None else found.value,
            verdict=verdict,
        ),
    ]


def scores_where(scores: Scores, rows: np.ndarray) -> Scores:
    """Return the answers where `rows` is true."""
    return Scores(
        label=scores.label[rows] if scores.label.size else scores.label,
        probability=scores.probability[rows] if scores.probability.size else scores.probability,
        value=scores.value[rows] if scores.value.size else scores.value,
    )


def _known(answered: Answered) -> np.ndarray:
    if answered.known.size:
        return answered.known
    return np.zeros(len(answered.truth), dtype=np.bool_)


def _coverage(answered: Answered, known: int, least: float) -> Signal:
    rows = answered.rows
    share = known / rows if rows else None
    ruling: Ruling = "pass" if share is not None and share >= least else "inconclusive"
    return Signal(
        name=COVERAGE,
        window=answered.window,
        value=share,
        verdict=Verdict(
            subject=f"{COVERAGE} min {least:g}",
            verdict=ruling,
            observed=share,
            limit=least,
            n=rows,
            reason=f"{known} of {rows} answers have a known outcome; {least:.0%} are needed",
        ),
    )


def _rule(found: Estimate, rules: Performance) -> tuple[Ruling, str]:
    words = f"{found.value:.4g} ({found.low:.4g} to {found.high:.4g})"
    if rules.min is None and rules.max is None:
        return "pass", f"{words}; the contract sets no limit"
    if rules.min is not None and found.high < rules.min:
        return "fail", f"{words} is surely below {rules.min:g}"
    if rules.max is not None and found.low > rules.max:
        return "fail", f"{words} is surely above {rules.max:g}"
    is_above = rules.min is None or found.low >= rules.min
    if is_above and (rules.max is None or found.high <= rules.max):
        return "pass", f"{words} is surely within its limit"
    return "inconclusive", f"{words} may be on either side of its limit"


def _verdict(
    name: str, found: Estimate | None, ruling: Ruling, reason: str, rules: Performance
) -> Verdict:
    limit = rules.min if rules.min is not None else rules.max
    if found is None:  # or not to be trusted: then no condition is judged by its interval either
        return Verdict(subject=name, verdict=ruling, limit=limit, reason=reason)
    return Verdict(
        subject=name,
        verdict=ruling,
        observed=found.value,
        limit=limit,
        interval=(found.low, found.high),
        n=found.n,
        reason=reason,
        evidence={"n_effective": found.n_effective},
    )
