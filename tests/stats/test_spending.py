"""Shares of alpha over candidates."""

import pytest

from setpoint.stats.spending import alpha_for_candidate


def test_spent_alpha_adds_up():
    assert sum(alpha_for_candidate(0.05, k) for k in range(1, 10_000)) == pytest.approx(
        0.05, rel=1e-3
    )
    for alpha, k in ((0.05, 0), (0, 1), (1, 1)):
        with pytest.raises(ValueError, match="alpha"):
            alpha_for_candidate(alpha, k)
