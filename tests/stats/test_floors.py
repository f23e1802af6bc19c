"""Quiet worlds stay quiet, real shifts are found, bounds cover."""

import numpy as np
import pytest
from scipy.signal import lfilter

from setpoint.stats.binning import numeric_bins, window_counts
from setpoint.stats.effective_size import design_effect_from_codes
from setpoint.stats.floors import (
    chance_floor,
    distance_design_effect,
    own_distances,
    tvd_floor,
    tvd_interval,
)

COLUMNS = 30
CELLS = 13
EFFECT = 0.1


def autoregressive(rng, rows, coefficient):
    noise = rng.normal(size=(rows + 300, COLUMNS))
    return lfilter([1], [1, -coefficient], noise, axis=0)[300:] * np.sqrt(1 - coefficient**2)


def seasonal(rng, rows):
    hour = np.arange(rows)[:, None]
    phase = rng.uniform(0, 2 * np.pi, (2, COLUMNS))
    day, week = np.sin(2 * np.pi * hour / 24 + phase[0]), np.sin(2 * np.pi * hour / 168 + phase[1])
    return day + 0.5 * week + autoregressive(rng, rows, 0.8)


WORLDS = {
    "independent": lambda rng, rows: rng.normal(size=(rows, COLUMNS)),
    "autocorrelated": lambda rng, rows: autoregressive(rng, rows, 0.95),
    "seasonal": seasonal,
}


def alarms(world, seed, *, rows=10_000, length=336, windows=15, shift=0.0):
    """Which columns of which windows have a lower bound above their floor: (windows, columns)."""
    table = WORLDS[world](np.random.default_rng(seed), rows + windows * length)
    floor, effect, counts, found = [], [], [], []
    for column in table.T:
        bins = numeric_bins(column[:rows])
        codes = bins.codes(column[:rows])
        effect.append(
            max(
                design_effect_from_codes(codes, CELLS),
                distance_design_effect(window_counts(codes, CELLS, min(length, rows // 16))),
            )
        )
        own = window_counts(codes, CELLS, length)
        counts.append(np.bincount(codes, minlength=CELLS))
        natural = tvd_floor(own, reference=counts[-1], design_effect=effect[-1], length=length)
        floor.append(max(EFFECT, natural.value))
        later = bins.codes(column[rows:] + shift * column[:rows].std())
        found.append(window_counts(later, CELLS, length))
    effect = np.array(effect)
    intervals = tvd_interval(
        np.array(counts),
        np.array(found).swapaxes(0, 1),
        rows=length / effect,
        reference_rows=rows / effect,
    )
    return intervals.low > np.array(floor)


@pytest.mark.parametrize("length", [336, 1000])
@pytest.mark.parametrize("world", WORLDS)
def test_at_most_one_quiet_window_in_twenty_has_any_alarm(world, length):
    quiet = np.concatenate([alarms(world, seed, length=length) for seed in range(5)])
    assert quiet.any(axis=1).mean() <= 0.05
    assert quiet.mean() <= 0.003


def test_short_reference_falls_back_and_no_share_of_columns_alarms():
    quiet = np.concatenate([alarms("autocorrelated", seed, rows=2000) for seed in range(4)])
    assert (quiet.mean(axis=1) > 0.3).sum() == 0
    assert quiet.mean() <= 0.005


def test_real_shift_is_found_at_a_thousand_rows():
    assert alarms("independent", 1, length=1000, shift=0.5).mean() > 0.99


def test_quiet_shift_is_not_an_alarm_however_many_rows():
    assert not alarms("independent", 1, rows=20_000, length=20_000, windows=2, shift=0.02).any()


@pytest.mark.parametrize(("rows", "expected"), [(500, 0.057), (1000, 0.040)])
def test_distance_of_equal_distributions_over_deciles(rows, expected):
    mean = chance_floor([1] * 10, rows, reference_rows=10_000, quantile=0.55)
    assert mean == pytest.approx(expected, abs=0.003)


@pytest.mark.parametrize("share", [[0.1] * 10, [0.5, 0.5], [0.7, 0.2, 0.06, 0.04], [0.005] * 200])
@pytest.mark.parametrize("rows", [100, 1000])
def test_chance_floor_is_the_quantile_of_simulated_distances(share, rows):
    rng = np.random.default_rng(5)
    p = rng.multinomial(5000, share, 4000) / 5000
    q = rng.multinomial(rows, share, 4000) / rows
    apart = 0.5 * np.abs(p - q).sum(axis=1)
    assert chance_floor(share, rows, reference_rows=5000) == pytest.approx(
        np.quantile(apart, 0.95), rel=0.06
    )


@pytest.mark.parametrize("rows", [100, 1000])
@pytest.mark.parametrize("shift", [0.0, 0.03, 0.1, 0.3])
def test_interval_covers_the_true_distance(shift, rows):
    rng = np.random.default_rng(6)
    p = np.full(10, 0.1)
    q = p + np.repeat([shift, -shift], 5) / 5
    found = tvd_interval(
        rng.multinomial(10_000, p, 2000),
        rng.multinomial(rows, q, 2000),
        rows=rows,
        reference_rows=10_000,
    )
    true = 0.5 * np.abs(p - q).sum()
    assert (found.low > true + 1e-12).mean() < 0.05
    assert (found.high < true - 1e-12).mean() < 0.09
    assert (found.low <= found.corrected).all()
    assert (found.corrected <= found.high).all()


def test_interval_takes_the_bias_out():
    rng = np.random.default_rng(7)
    p, q = np.full(10, 0.1), np.repeat([0.11, 0.09], 5)
    found = tvd_interval(
        rng.multinomial(10_000, p, 500), rng.multinomial(500, q, 500), rows=500, reference_rows=1e4
    )
    assert abs(found.corrected.mean() - 0.05) < 0.5 * abs(found.value.mean() - 0.05)


def test_padding_with_empty_cells_changes_nothing():
    plain = tvd_interval([50, 50], [70, 30], rows=100, reference_rows=100)
    padded = tvd_interval([50, 50, 0, 0], [70, 30, 0, 0], rows=100, reference_rows=100)
    assert plain == padded


def test_identical_counts_leave_room_for_what_was_not_seen():
    found = tvd_interval([50, 0], [10, 0], rows=10, reference_rows=50)
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(1 - 0.05**0.1)


def test_disjoint_cells():
    found = tvd_interval([50, 0], [0, 50], rows=50, reference_rows=50)
    assert found.value == 1
    assert found.high == pytest.approx(1)
    assert 0.9 < found.low < 0.99


def test_few_windows_say_so():
    floor = tvd_floor(np.empty((0, 3)), reference=[10, 10, 10], length=100)
    assert not floor.from_windows
    assert floor.value == chance_floor([10, 10, 10], 100, reference_rows=30)


def test_own_distances_leave_the_window_out_of_the_reference():
    assert own_distances([[10, 0], [0, 10]]).tolist() == [1, 1]


def test_constant_column_has_no_floor():
    assert tvd_floor([[9, 0]] * 9).value == 0
    assert distance_design_effect([[9, 0]] * 9) == 1
