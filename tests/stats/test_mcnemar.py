"""McNemar's exact test against the binomial test."""

import numpy as np
import pytest
from scipy import stats

from setpoint.stats.mcnemar import mcnemar_p_value


@pytest.mark.parametrize(("b", "c"), [(0, 0), (3, 3), (0, 6), (40, 60)])
def test_mcnemar_equals_the_binomial_test(b, c):
    expected = stats.binomtest(b, b + c).pvalue if b + c else 1
    assert mcnemar_p_value(b, c) == mcnemar_p_value(c, b) == pytest.approx(expected)


def test_mcnemar_never_rejects_too_often():
    rng = np.random.default_rng(13)
    draws = rng.binomial(50, 0.5, 2000)
    assert np.mean([mcnemar_p_value(b, 50 - b) < 0.05 for b in draws]) < 0.05
