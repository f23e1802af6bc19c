"""Every metric equals scikit-learn's, works as sums over rows, and never reports 0 for undefined."""

import numpy as np
import pytest
from sklearn import metrics as sk

from setpoint.errors import TooFewSamplesError, UndefinedMetricError
from setpoint.stats.metrics import METRICS
from setpoint.stats.paired import Resampling, paired_difference


def rows_of(task, seed, n=400):
    rng = np.random.default_rng(seed)
    if task == "regression":
        y = rng.normal(1000, 3, n)
        return y, {"value": y + rng.normal(size=n)}, 0
    classes = 2 if task == "binary" else 4
    y = rng.integers(0, classes, n)
    y[:classes] = np.arange(classes)
    score = rng.gamma(1, size=(n, classes)) + 0.7 * (y[:, None] == np.arange(classes))
    chance = np.round(score / score.sum(axis=1, keepdims=True), 2)  # rounded: with ties
    chance = (chance + 1e-3) / (chance + 1e-3).sum(axis=1, keepdims=True)
    label = chance.argmax(axis=1)
    return y, {"label": label, "probability": chance[:, 1] if classes == 2 else chance}, classes


def macro(metric):
    return lambda y, label: metric(y, label, average="macro", zero_division=0)


def over_classes(y, p):
    if p.ndim == 1:
        return sk.average_precision_score(y, p)
    return np.mean([sk.average_precision_score(y == c, p[:, c]) for c in range(p.shape[1])])


def brier_skill(y, p):
    """One minus the Brier score over that of the rows' own class shares."""
    if p.ndim == 1:
        return 1 - sk.brier_score_loss(y, p) / sk.brier_score_loss(y, np.full(len(y), np.mean(y)))
    shares = np.tile(np.bincount(y, minlength=p.shape[1]) / len(y), (len(y), 1))
    labels = range(p.shape[1])
    score = sk.brier_score_loss
    return 1 - score(y, p, labels=labels) / score(y, shares, labels=labels)


REFERENCE = {
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1": sk.f1_score,
    "precision_macro": macro(sk.precision_score),
    "recall_macro": macro(sk.recall_score),
    "f1_macro": macro(sk.f1_score),
    "roc_auc": lambda y, p: sk.roc_auc_score(y, p, multi_class="ovr"),
    "average_precision": over_classes,
    "log_loss": sk.log_loss,
    "brier": sk.brier_score_loss,
    "brier_skill": brier_skill,
    "mae": sk.mean_absolute_error,
    "rmse": sk.root_mean_squared_error,
    "mape": sk.mean_absolute_percentage_error,
    "r2": sk.r2_score,
}
CASES = [(name, task) for name, metric in METRICS.items() for task in metric.tasks]


def test_every_metric_has_a_reference():
    assert REFERENCE.keys() == METRICS.keys()
    assert all(name == metric.name for name, metric in METRICS.items())


@pytest.mark.parametrize(("name", "task"), CASES)
@pytest.mark.parametrize("seed", [1, 2])
def test_equals_scikit_learn(name, task, seed):
    y, predictions, classes = rows_of(task, seed)
    prediction = predictions[METRICS[name].needs]
    expected = REFERENCE[name](y, prediction)
    assert METRICS[name].evaluate(y, prediction, classes) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("name", "task"), CASES)
def test_direction_a_perfect_prediction_beats_a_poor_one(name, task):
    metric = METRICS[name]
    y, predictions, classes = rows_of(task, 3)
    perfect = {"label": y, "value": y, "probability": y.astype(float)}[metric.needs]
    if metric.needs == "probability" and task == "multiclass":
        perfect = np.eye(classes)[y]
    best = metric.evaluate(y, perfect, classes)
    other = metric.evaluate(y, predictions[metric.needs], classes)
    assert best > other if metric.higher_is_better else best < other


@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if m.from_sums is not None])
def test_sums_of_parts_are_the_sum_of_the_whole_and_batches_work(name):
    metric = METRICS[name]
    y, predictions, classes = rows_of(metric.tasks[0], 4)
    rows = metric.row_statistics(y, predictions[metric.needs], classes)
    sums = np.stack([rows[:150].sum(axis=0) + rows[150:].sum(axis=0), rows.sum(axis=0)])
    value = metric.evaluate(y, predictions[metric.needs], classes)
    assert metric.from_sums(sums) == pytest.approx([value, value])


@pytest.mark.parametrize("name", [n for n, m in METRICS.items() if m.from_sums is not None])
def test_paired_difference_takes_every_metric(name):
    metric = METRICS[name]
    y, predictions, classes = rows_of(metric.tasks[0], 5)
    guess = predictions[metric.needs]
    other = np.where(np.arange(400) % 3 == 0, np.roll(guess, 1), guess)
    a, b = (metric.row_statistics(y, p, classes) for p in (guess, other))
    found = paired_difference(a, b, metric.from_sums, Resampling(resamples=300))
    expected = metric.evaluate(y, guess, classes) - metric.evaluate(y, other, classes)
    assert found.value == pytest.approx(expected, abs=1e-9)
    assert found.low < found.value < found.high


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("y", [[0, 0, 0], [1, 1, 1]])
def test_ranking_with_one_class_is_undefined(name, y):
    with pytest.raises(UndefinedMetricError, match="both classes"):
        METRICS[name].evaluate(y, [0.1, 0.2, 0.3])


def test_ranking_with_an_absent_class_of_several_is_undefined():
    with pytest.raises(UndefinedMetricError):
        METRICS["roc_auc"].evaluate([0, 1, 1], np.full((3, 3), 1 / 3), 3)


@pytest.mark.parametrize(
    ("name", "y", "prediction"),
    [
        ("precision", [0, 1], [0, 0]),
        ("recall", [0, 0], [0, 1]),
        ("f1", [0, 0], [0, 0]),
        ("r2", [2.0, 2.0], [1.0, 2.0]),
        ("mape", [0.0, 1.0], [1.0, 1.0]),
        ("mae", [1.0, np.nan], [1.0, 1.0]),
        ("rmse", [1.0, 1.0], [np.inf, 1.0]),
        ("log_loss", [0, 1], [0.5, np.nan]),
    ],
)
def test_undefined_is_never_a_number(name, y, prediction):
    with pytest.raises(UndefinedMetricError):
        METRICS[name].evaluate(y, prediction)


@pytest.mark.parametrize("name", METRICS)
def test_no_rows_is_too_few(name):
    with pytest.raises(TooFewSamplesError):
        METRICS[name].evaluate(np.array([], dtype=int), np.array([]))


def test_positive_class_is_refused_with_three_classes():
    with pytest.raises(UndefinedMetricError, match="macro"):
        METRICS["f1"].evaluate([0, 1, 2], [0, 1, 2], 3)


@pytest.mark.parametrize(
    ("name", "y", "prediction"),
    [("accuracy", [0, 2], [0, 1]), ("accuracy", [0], [0, 1]), ("mae", [1.0], [1.0, 2.0])],
)
def test_unlike_or_foreign_labels_are_refused(name, y, prediction):
    with pytest.raises(ValueError, match=r"labels|values"):
        METRICS[name].evaluate(y, prediction)


def test_probabilities_with_too_few_columns_are_refused():
    with pytest.raises(ValueError, match="columns"):
        METRICS["brier"].evaluate([0, 1], np.full((2, 3), 1 / 3), 2)


def test_one_sure_mistake_is_finite():
    assert METRICS["log_loss"].evaluate([0, 1], [0.0, 0.0]) == pytest.approx(
        sk.log_loss([0, 1], [0.0, 0.0])
    )


def test_two_columns_of_a_binary_model_are_accepted():
    y, predictions, _ = rows_of("binary", 6)
    p = predictions["probability"]
    for name in ("roc_auc", "average_precision", "log_loss", "brier"):
        columns = METRICS[name].evaluate(y, np.c_[1 - p, p])
        assert columns == pytest.approx(METRICS[name].evaluate(y, p), abs=1e-12)
