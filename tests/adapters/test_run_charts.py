"""Charts: the curve's numbers against scikit-learn, and nothing drawn that cannot be."""

import numpy as np
import pytest
from sklearn.metrics import auc, roc_auc_score

from setpoint.adapters.run_charts import roc_points, run_charts
from setpoint.facts.evidence import Evidence, Scores

NONE = np.empty(0, np.int64)


def evidence(*, classes=(), truth=NONE, probability=None, value=None, predicted=None):
    probability = np.empty((len(truth), 0)) if probability is None else probability
    label = probability.argmax(axis=1) if probability.size else NONE
    predicted = np.empty(0) if predicted is None else predicted
    return Evidence(
        classes=classes,
        truth_label=truth,
        truth_value=np.empty(0) if value is None else value,
        candidate=Scores(label=label, probability=probability, value=predicted),
        champion=None,
        champion_unseen=np.empty(0, np.bool_),
        ordered=False,
    )


@pytest.mark.parametrize("digits", [1, 9])  # with many ties, and without
def test_curve_has_the_area_that_scikit_learn_finds(digits):
    chance = np.random.default_rng(1)
    score = chance.random(5000).round(digits)
    positive = chance.random(5000) < score
    false, true = roc_points(positive, score)
    assert len(false) <= 200
    assert (false[0], true[0], false[-1], true[-1]) == (0, 0, 1, 1)
    assert auc(false, true) == pytest.approx(roc_auc_score(positive, score), abs=2e-4)


def test_curve_of_constant_scores_is_the_diagonal():
    false, true = roc_points(np.array([True, False, True]), np.full(3, 0.5))
    assert (false.tolist(), true.tolist()) == ([0, 1], [0, 1])


def drawn(*arguments):
    images = run_charts(*arguments)
    assert all(image.startswith(b"\x89PNG") for image in images.values())
    return set(images)


def test_binary_multiclass_and_regression_get_their_charts():
    chance = np.random.default_rng(0)
    truth = chance.integers(0, 3, 60)
    three = chance.dirichlet(np.ones(3), 60)
    two = chance.dirichlet(np.ones(2), 60)
    importance = {"a.b[c]": 0.1, "d": -0.1}
    many = evidence(classes=("a", "b", "c"), truth=truth, probability=three)
    binary = evidence(classes=("n", "y"), truth=truth % 2, probability=two)
    value = evidence(value=chance.normal(size=60), predicted=chance.normal(size=60))
    assert drawn(many, {}) == {"roc.png"}
    assert drawn(binary, importance) == {"roc.png", "importance.png"}
    assert drawn(value, {}) == {"residuals.png"}


@pytest.mark.parametrize("truth", [[0, 0, 0], [1, 1, 1]])
def test_one_class_has_no_curve(truth):
    probability = np.array([[0.5, 0.5]] * 3)
    assert (
        drawn(evidence(classes=("n", "y"), truth=np.array(truth), probability=probability), {})
        == set()
    )


def test_nothing_to_draw():
    assert drawn(evidence(), {}) == set()
    assert drawn(evidence(classes=("n", "y"), truth=np.array([0, 1])), {}) == set()
