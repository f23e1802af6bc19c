"""Betting: no false alarm in nineteen of twenty, whatever the law; harm is found."""

import numpy as np
import pytest

from setpoint.stats.betting import betting_evidence

ALARM = np.log(20)


@pytest.mark.parametrize("limit", [0.01, 0.1, 0.5])
@pytest.mark.parametrize("kind", ["events", "beta", "wandering"])
def test_mean_at_its_limit_alarms_in_at_most_one_of_twenty(kind, limit):
    rng = np.random.default_rng(1)
    shape = (400, 3000)
    values = {
        "events": lambda: rng.random(shape) < limit,
        "beta": lambda: rng.beta(limit, 1 - limit, shape),
        "wandering": lambda: (
            rng.random(shape) < limit * (1 + 0.9 * np.minimum(0, np.sin(np.arange(3000) / 50)))
        ),
    }[kind]()
    assert (betting_evidence(values, limit) > ALARM).any(axis=1).mean() <= 0.05


def test_harm_above_the_limit_is_found_soon():
    values = np.random.default_rng(2).random((200, 3000)) < 0.2
    is_alarm = betting_evidence(values, 0.1) > ALARM
    assert is_alarm.any(axis=1).all()
    assert np.median(is_alarm.argmax(axis=1)) < 250


def test_bets_know_only_the_past():
    values = np.random.default_rng(3).random(200)
    changed = values.copy()
    changed[120:] = 1 - changed[120:]
    assert np.array_equal(betting_evidence(values, 0.5)[:120], betting_evidence(changed, 0.5)[:120])


@pytest.mark.parametrize(
    ("values", "limit"), [([0.5, 1.1], 0.5), ([np.nan], 0.5), ([0.5], 0), ([0.5], 1)]
)
def test_what_is_not_bounded_is_refused(values, limit):
    with pytest.raises(ValueError, match="limit"):
        betting_evidence(values, limit)


def test_wealth_is_never_lost_entirely():
    assert np.isfinite(betting_evidence(np.zeros(10_000), 0.9)).all()
