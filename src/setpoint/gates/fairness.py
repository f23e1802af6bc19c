"""Gate: a fairness measure over the groups of a column, as in `{fairness: disparate_impact, attribute: gender, …}`.

- `disparate_impact`: smallest share of positive answers of any group over the largest; 1 is equal.
- `demographic_parity_difference`: largest minus smallest share of positive answers; 0 is equal.
- `equal_opportunity_difference`: largest minus smallest true positive rate.
- `equalized_odds_difference`: the larger of the differences of true and of false positive rates.

Values are fairlearn's; intervals resample rows within their order or entity. Evidence lists each group's rates. A group
with under 30 rows of a class cannot be judged: the measure is then over the others, and `inconclusive` unless it fails.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from fairlearn.metrics import (
    MetricFrame,
    demographic_parity_difference,
    demographic_parity_ratio,
    equal_opportunity_difference,
    equalized_odds_difference,
    false_negative_rate,
    false_positive_rate,
    selection_rate,
)

from setpoint.contract.gates import FairnessGate
from setpoint.contract.metrics import FairnessMetric
from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.facts.evidence import Evidence, Floats, Ints
from setpoint.facts.verdict import Verdict
from setpoint.gates.asking import Asking
from setpoint.gates.bounds import rule_limits, shown_limit
from setpoint.gates.estimate import RESAMPLES, sampling_of
from setpoint.gates.groups import groups_of, too_small
from setpoint.gates.limit import SHOWN
from setpoint.gates.metric import MIN_ROWS, labels
from setpoint.stats.interval import Estimate
from setpoint.stats.paired import Resampling, bootstrap_interval

_BINARY = 2
_MIN_GROUPS = 2
_COUNTS = 4  # a group's positive answers and rows, among true positives and among true negatives

_VALUES: dict[FairnessMetric, Callable[..., float]] = {
    "disparate_impact": demographic_parity_ratio,
    "demographic_parity_difference": demographic_parity_difference,
    "equal_opportunity_difference": equal_opportunity_difference,
    "equalized_odds_difference": equalized_odds_difference,
}


def judge_fairness(gate: FairnessGate, evidence: Evidence, asking: Asking) -> Verdict:
    """Return the verdict over a fairness measure of the candidate.

    Raises:
        MeasurementError: The task is not binary, the column was not kept, or under two groups are large enough.
    """
    if len(evidence.classes) != _BINARY:
        raise UndefinedMetricError(f"{gate.fairness} is defined for binary models")
    code = np.full(evidence.rows, -1, dtype=np.int64)
    names: list[str] = []
    small: list[str] = []
    for name, rows in groups_of(evidence, gate.attribute):
        if why := too_small(evidence, rows):
            small.append(f"{gate.attribute}={name} has only {why}")
        else:
            code[rows] = len(names)
            names.append(name)
    if len(names) < _MIN_GROUPS:
        what = f"{gate.fairness}: a second group of {gate.attribute} with {MIN_ROWS} rows of each class"
        raise TooFewSamplesError(what, needed=_MIN_GROUPS, found=len(names))
    kept = code >= 0
    truth, answered = evidence.truth_label[kept], labels(evidence.candidate, gate.threshold)[kept]
    confidence = SHOWN if gate.confidence is None else float(gate.confidence)
    how = sampling_of(evidence, kept, confidence=confidence, seed=asking.seed)
    found = bootstrap_interval(
        group_counts(truth, answered, code[kept], len(names)),
        FROM_COUNTS[gate.fairness],
        Resampling(None if how.ordered else 1, confidence, RESAMPLES, asking.seed),
        clusters=how.cluster,
    )
    value = float(_VALUES[gate.fairness](truth, answered, sensitive_features=code[kept]))
    shown = Estimate(value, found.low, found.high, found.n, found.n_effective)
    ruling, reason = rule_limits(shown, gate.bounds, by_interval=gate.confidence is not None)
    if small and ruling == "pass":
        ruling, reason = "inconclusive", f"{reason}, but " + "; ".join(small)
    return Verdict(
        subject=gate.subject,
        verdict=ruling,
        observed=value,
        limit=shown_limit(gate.bounds),
        interval=(found.low, found.high),
        n=int(kept.sum()),
        reason=reason,
        evidence={"groups": group_rates(truth, answered, code[kept], names), "too_small": small},
    )


def group_rates(
    truth: npt.ArrayLike, answered: npt.ArrayLike, code: npt.ArrayLike, names: list[str]
) -> dict[str, dict[str, float]]:
    """Return n, share of positive answers, false positive and false negative rate of each group.

    Args:
        truth: True class codes (1 is positive), shape (n,).
        answered: Answered class codes, shape (n,).
        code: Position in `names` of each row's group, shape (n,).
        names: Groups.
    """
    frame = MetricFrame(
        metrics={
            "selected": selection_rate,
            "false_positive_rate": false_positive_rate,
            "false_negative_rate": false_negative_rate,
        },
        y_true=truth,
        y_pred=answered,
        sensitive_features=code,
    )
    sizes = np.bincount(np.asarray(code), minlength=len(names))
    return {
        name: {
            "n": float(sizes[place]),
            **{key: float(rate) for key, rate in frame.by_group.loc[place].items()},
        }
        for place, name in enumerate(names)
    }


def group_counts(truth: Ints, answered: Ints, code: Ints, groups: int) -> Floats:
    """Return for each row and group (true positive, positive, false positive, negative); shape (n, 4 * groups)."""
    positive, selected = truth == 1, answered == 1
    rows = np.zeros((truth.size, _COUNTS, groups))
    place = np.arange(truth.size)
    for part, holds in enumerate((positive & selected, positive, ~positive & selected, ~positive)):
        rows[place, part, code] = holds
    return rows.reshape(truth.size, -1)


def _parts(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Shares of positive answers among all, among positives, and among negatives, by group."""
    hit, positive, false, negative = np.split(sums, _COUNTS, axis=-1)
    return (hit + false) / (positive + negative), hit / positive, false / negative


def _range(rates: Floats) -> Floats:
    return np.asarray(rates.max(axis=-1) - rates.min(axis=-1))


FROM_COUNTS: dict[FairnessMetric, Callable[[Floats], Floats]] = {
    "disparate_impact": lambda sums: np.asarray(
        _parts(sums)[0].min(axis=-1) / _parts(sums)[0].max(axis=-1)
    ),
    "demographic_parity_difference": lambda sums: _range(_parts(sums)[0]),
    "equal_opportunity_difference": lambda sums: _range(_parts(sums)[1]),
    "equalized_odds_difference": lambda sums: np.maximum(
        _range(_parts(sums)[1]), _range(_parts(sums)[2])
    ),
}
