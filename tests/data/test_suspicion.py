import numpy as np
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from setpoint.data.suspicion import Answer, strength


def test_two_classes_give_the_roc_auc_of_the_groups_shares():
    rng = np.random.default_rng(0)
    groups = rng.integers(0, 12, 3000)
    codes = (rng.random(3000) < groups / 12).astype(float)
    means = np.bincount(groups, codes) / np.bincount(groups)
    assert strength(groups, Answer(codes, 2)) == pytest.approx(roc_auc_score(codes, means[groups]))


def test_numbers_give_the_r2_of_the_groups_means():
    rng = np.random.default_rng(1)
    groups = rng.integers(0, 12, 3000)
    values = groups + rng.normal(0, 4, 3000)
    means = np.bincount(groups, values) / np.bincount(groups)
    assert strength(groups, Answer(values, 0)) == pytest.approx(r2_score(values, means[groups]))


def test_many_classes_give_the_share_of_the_impurity_that_goes():
    codes = np.array([0.0, 1.0, 2.0] * 40)
    assert strength(codes.astype(np.int64), Answer(codes, 3)) == pytest.approx(1.0)
    assert strength(np.zeros(120, np.int64), Answer(codes, 3)) == pytest.approx(0.0)


def test_rows_without_a_label_do_not_count():
    groups, codes = np.array([0, 0, 1, 1, 1]), np.array([0.0, 0.0, 1.0, 1.0, np.nan])
    assert strength(groups, Answer(codes, 2)) == 1.0
