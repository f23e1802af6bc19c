"""How a comparison on the same rows rules: by the interval of the gain against the gain that is required.

Rules:
- `pass`: the whole interval lies above the required gain.
- `fail`: the whole interval lies below it; the reason says whether the candidate is worse, or better by too little.
- `inconclusive`: the interval holds the required gain: the candidate is not shown to be better, nor to be worse.

The k-th candidate since the last promotion is judged at alpha / (k (k + 1)), alpha being 1 - confidence: these shares
add up to alpha, so that trying often enough does not make a better model out of an equal one.
"""

from dataclasses import dataclass

from setpoint.contract.metrics import Average, MetricName
from setpoint.contract.shares import Change
from setpoint.errors import UndefinedMetricError
from setpoint.facts.evidence import Bools, Evidence, Scores
from setpoint.facts.verdict import Ruling, Verdict
from setpoint.gates.asking import Asking
from setpoint.gates.estimate import Gain, Pair, gain_interval, sampling_of
from setpoint.gates.metric import (
    Asked,
    metric_for,
    prediction,
    require_rows,
    rows_of,
    truth,
    zero_where_undefined,
)
from setpoint.stats.spending import alpha_for_candidate


@dataclass(frozen=True)
class Comparison:
    """What is compared with what, and what is required.

    Args:
        subject: The gate as the contract writes it.
        metric: The metric.
        average: How per-class values are averaged.
        threshold: Where binary answers are cut, for both models; None for the answers as given.
        confidence: Confidence before spending.
        margin: Size of the margin.
        towards: 1 where the candidate must gain the margin, -1 where it may lose it.
        other: The other model in words, such as `the champion`.
        naive: Whether the other model looks at no feature: metrics that it leaves undefined then count as 0.
    """

    subject: str
    metric: MetricName
    average: Average | None
    threshold: float | None
    confidence: float
    margin: Change
    towards: int
    other: str
    naive: bool = False


def compare(
    asked_for: Comparison, evidence: Evidence, other: Scores, rows: Bools, asking: Asking
) -> Verdict:
    """Return the verdict over the candidate's gain on another model's answers for the same rows.

    Args:
        asked_for: What is compared.
        evidence: The candidate's evidence.
        other: The other model's answers, for every row of the evidence.
        rows: Rows that may be used, shape (n,).
        asking: Which candidate this is, and the seed.

    Raises:
        MeasurementError: There are too few rows, or they do not define the metric.
    """
    require_rows(evidence, rows, f"rows that neither the candidate nor {asked_for.other} saw")
    alpha = alpha_for_candidate(1.0 - asked_for.confidence, asking.k)
    asked = Asked(asked_for.metric, asked_for.average, asked_for.threshold)
    metric = metric_for(asked, evidence)
    first = prediction(metric, asked, rows_of(evidence.candidate, rows))
    base = Asked(asked.name, asked.average) if asked_for.naive else asked
    second = prediction(metric, base, rows_of(other, rows))
    if first.shape != second.shape:
        raise UndefinedMetricError(
            f"{asked_for.other} answers {second.shape}, the candidate {first.shape}: other classes"
        )
    if asked_for.naive:
        metric = zero_where_undefined(metric)
    size = asked_for.towards * asked_for.margin.value
    gain = gain_interval(
        metric,
        Pair(truth(metric, evidence)[rows], first, second, len(evidence.classes)),
        sampling_of(evidence, rows, confidence=1.0 - alpha, seed=asking.seed),
        relative=size if asked_for.margin.relative else 0.0,
        absolute=0.0 if asked_for.margin.relative else size,
    )
    ruling, reason = _rule(gain, asked_for.other)
    sign = 1.0 if metric.higher_is_better else -1.0
    return Verdict(
        subject=asked_for.subject,
        verdict=ruling,
        observed=gain.gain,
        limit=gain.required,
        interval=(gain.low, gain.high),
        n=gain.n,
        reason=reason,
        evidence={
            "candidate": gain.second + sign * gain.gain,
            "other": gain.second,
            "against": asked_for.other,
            "alpha": alpha,
            "k": asking.k,
            "n_effective": gain.n_effective,
        },
    )


def _rule(gain: Gain, other: str) -> tuple[Ruling, str]:
    shown = f"gain over {other} {gain.gain:+.4g} ({gain.low:+.4g} to {gain.high:+.4g})"
    if gain.low > gain.required:
        return "pass", f"{shown} is surely above {gain.required:+.4g}"
    if gain.high < gain.required:
        if gain.high < 0:
            return "fail", f"{shown}: worse than {other}"
        return "fail", f"{shown}: not better by {gain.required:+.4g}"
    return "inconclusive", f"{shown}: not shown to be above {gain.required:+.4g}, nor below"
