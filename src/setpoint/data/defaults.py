"""What a drafted contract says beyond the data: gates, release, watching, retraining. One place to tune them."""

from dataclasses import dataclass
from typing import Any

_BALANCED = 0.2  # share of the rarer class from which accuracy says something
_SKILL = 0.01  # above what fits on shuffled labels reach by chance (ADR 0014)


@dataclass(frozen=True)
class Facts:
    """What the defaults follow from.

    Args:
        task: `binary`, `multiclass` or `regression`.
        rows: Labelled rows.
        has_time: Whether the contract has a time column.
        minority: Share of the rarest class; 0 for regression.
        rows_a_day: Rows of a median day, where there is a time column.
    """

    task: str
    rows: int
    has_time: bool
    minority: float = 0.0
    rows_a_day: float = 0.0


_JUDGED = {
    "binary": ("brier", "brier_skill"),
    "multiclass": ("brier", "brier_skill"),
    "regression": ("mae", "r2"),
}
"""What gates judge by, and the skill that must be above knowing nothing.

A proper score sees every probability, and so needs far fewer rows than a share of right answers.
"""


def metric_of(facts: Facts) -> str:
    """Return the metric that a drafted contract judges by."""
    if facts.task == "regression":
        return "mae"
    if facts.task == "binary" and facts.minority < _BALANCED:
        return "roc_auc"
    return "accuracy"


def default_sections(facts: Facts) -> dict[str, Any]:
    """Return the sections after `data` of a drafted contract, as plain data in the contract's order."""
    metric = metric_of(facts)
    judged, skill = _JUDGED[facts.task]
    split = {"validation": "0%", "test": "20%", "newest": _newest(facts.rows)}
    return {
        "train": {"estimator": "auto", "split": split},
        "gates": [
            {"metric": skill, "min": _SKILL},
            {"metric": judged, "beats_champion": "0 abs", "confidence": "90%"},
        ],
        "release": {"strategy": "direct"},
        "monitor": _monitor(facts, metric),
        "retrain": _retrain(facts),
    }


def _monitor(facts: Facts, metric: str) -> dict[str, Any]:
    return {"window": _window(facts), "performance": {"metric": metric, "drop": "5%"}}


def _window(facts: Facts) -> str:
    if not facts.has_time:
        return f"{_step(facts.rows)} rows"
    for days in (1, 7, 30):
        if facts.rows_a_day * days >= 500:  # noqa: PLR2004 - monitor.drift.min_rows
            return f"{days}d"
    return "30d"


def _retrain(facts: Facts) -> dict[str, Any]:
    cooldown = "1d" if facts.has_time else f"{_step(facts.rows)} rows"
    budget = "7d" if facts.has_time else f"{10 * _step(facts.rows)} rows"
    return {
        "when": [
            f"rows.new >= {min(_step(facts.rows), _newest(facts.rows))}",
            "performance.drop > 5%",
            "drift.share > 30% for 3 windows",
        ],
        "data": "all",
        "cooldown": cooldown,
        "budget": {"runs": 10, "per": budget},
    }


def _newest(rows: int) -> int:
    """Return how many of the newest rows judge where rows stand in order of time: an eighth, 250 to 1,000.

    Fewer cannot show a gain; more keep a candidate from the rows that it should learn from.
    """
    return max(250, min(1000, rows // 8))


def _step(rows: int) -> int:
    """Return a fortieth of the rows, in round numbers, 500 to 10,000."""
    for step in (10_000, 5_000, 2_000, 1_000):
        if rows >= 40 * step:
            return step
    return 500
