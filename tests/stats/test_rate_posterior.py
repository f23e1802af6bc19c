import numpy as np
import pytest

from setpoint.stats.rate_posterior import Successes, probability_higher


def test_known_answers() -> None:
    nothing, one = Successes(0, 0), Successes(1, 1)  # Beta(1, 1) and Beta(2, 1)
    assert probability_higher(nothing, nothing) == pytest.approx(1 / 2, abs=1e-6)
    assert probability_higher(one, nothing) == pytest.approx(2 / 3, abs=1e-5)
    assert probability_higher(nothing, one) == pytest.approx(1 / 3, abs=1e-5)
    # P(X > Y + 1/2) of two uniforms is a triangle.
    assert probability_higher(nothing, nothing, by=0.5) == pytest.approx(1 / 8, abs=1e-3)


def test_agrees_with_draws() -> None:
    rng = np.random.default_rng(1)
    one, other = Successes(61.5, 1000), Successes(48, 900)
    draws = rng.beta(*one.beta, 400_000) - rng.beta(*other.beta, 400_000)
    for by in (0.0, 0.005, 0.02):
        assert probability_higher(one, other, by=by) == pytest.approx(
            float(np.mean(draws > by)), abs=0.003
        )


@pytest.mark.parametrize("n", [1_000_000, 100_000_000])
def test_holds_for_many_outcomes(n) -> None:
    assert probability_higher(Successes(0.05 * n, n), Successes(0.05 * n, n)) == pytest.approx(0.5)
    assert probability_higher(Successes(0.06 * n, n), Successes(0.05 * n, n)) > 0.999


def test_sum_of_rewards_that_rounds_past_its_bounds_is_no_error() -> None:
    assert 0 < probability_higher(Successes(10 + 1e-12, 10), Successes(-1e-12, 10)) <= 1
