"""The metrics that a contract can name, and what "better" means for each."""

from dataclasses import dataclass
from typing import Literal

Task = Literal["binary", "multiclass", "regression"]
Direction = Literal["higher", "lower"]
Average = Literal["binary", "macro", "micro", "weighted"]
Baseline = Literal["majority", "mean", "no_change"]
MetricName = Literal[
    "accuracy",
    "balanced_accuracy",
    "precision",
    "recall",
    "f1",
    "roc_auc",
    "average_precision",
    "log_loss",
    "brier",
    "brier_skill",
    "mcc",
    "mae",
    "rmse",
    "mape",
    "r2",
    "median_absolute_error",
]
FairnessMetric = Literal[
    "disparate_impact",
    "demographic_parity_difference",
    "equal_opportunity_difference",
    "equalized_odds_difference",
]


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """What a contract must know of a metric.

    Args:
        tasks: Tasks that it is defined for.
        better: Whether higher or lower values are better.
        best: The value of a perfect model.
        worst: The value that nothing can be worse than; None where there is none.
        averaged: Whether it is a per-class value that needs an average over classes.
        of: What it is computed from: the answered `label`, the `probability`, or the `value`.
    """

    tasks: frozenset[Task]
    better: Direction
    best: float
    worst: float | None
    averaged: bool = False
    of: Literal["label", "probability", "value"] = "label"


_CLASSES: frozenset[Task] = frozenset({"binary", "multiclass"})
_BINARY: frozenset[Task] = frozenset({"binary"})
_VALUES: frozenset[Task] = frozenset({"regression"})

METRICS: dict[MetricName, MetricSpec] = {
    "accuracy": MetricSpec(_CLASSES, "higher", 1.0, 0.0),
    "balanced_accuracy": MetricSpec(_CLASSES, "higher", 1.0, 0.0),
    "precision": MetricSpec(_CLASSES, "higher", 1.0, 0.0, averaged=True),
    "recall": MetricSpec(_CLASSES, "higher", 1.0, 0.0, averaged=True),
    "f1": MetricSpec(_CLASSES, "higher", 1.0, 0.0, averaged=True),
    "roc_auc": MetricSpec(_CLASSES, "higher", 1.0, 0.0, of="probability"),
    "average_precision": MetricSpec(_BINARY, "higher", 1.0, 0.0, of="probability"),
    "log_loss": MetricSpec(_CLASSES, "lower", 0.0, None, of="probability"),
    "brier": MetricSpec(_CLASSES, "lower", 0.0, 2.0, of="probability"),
    "brier_skill": MetricSpec(_CLASSES, "higher", 1.0, None, of="probability"),
    "mcc": MetricSpec(_CLASSES, "higher", 1.0, -1.0),
    "mae": MetricSpec(_VALUES, "lower", 0.0, None, of="value"),
    "rmse": MetricSpec(_VALUES, "lower", 0.0, None, of="value"),
    "mape": MetricSpec(_VALUES, "lower", 0.0, None, of="value"),
    "r2": MetricSpec(_VALUES, "higher", 1.0, None, of="value"),
    "median_absolute_error": MetricSpec(_VALUES, "lower", 0.0, None, of="value"),
}

PRIMARY_METRIC: dict[Task, MetricName] = {
    "binary": "roc_auc",
    "multiclass": "balanced_accuracy",
    "regression": "mae",
}
"""The metric that defaults judge by, where a contract names none."""

NAIVE: dict[Task, Baseline] = {"binary": "majority", "multiclass": "majority", "regression": "mean"}
"""The baseline that defaults judge by: the best answer that looks at no feature."""

OTHER_NAMES: dict[str, MetricName] = {
    "acc": "accuracy",
    "accuracy_score": "accuracy",
    "ap": "average_precision",
    "auc": "roc_auc",
    "auprc": "average_precision",
    "auroc": "roc_auc",
    "brier_score": "brier",
    "brier_skill_score": "brier_skill",
    "bss": "brier_skill",
    "brier_score_loss": "brier",
    "f1_score": "f1",
    "logloss": "log_loss",
    "matthews_corrcoef": "mcc",
    "mean_absolute_error": "mae",
    "mean_absolute_percentage_error": "mape",
    "medae": "median_absolute_error",
    "pr_auc": "average_precision",
    "r2_score": "r2",
    "roc_auc_score": "roc_auc",
    "root_mean_squared_error": "rmse",
}
"""Names that people know these metrics by elsewhere; only ever used to suggest ours."""
