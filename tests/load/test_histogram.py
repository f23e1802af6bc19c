import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.load.histogram import Histogram

DURATIONS = st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=200)


@given(durations=DURATIONS, share=st.sampled_from([0.5, 0.9, 0.99, 0.999, 1.0]))
def test_quantiles_are_those_of_the_sorted_durations_to_half_a_per_cent(durations, share):
    found = Histogram()
    for one in durations:
        found.add(one)
    exact = sorted(durations)[math.ceil(share * len(durations)) - 1]
    assert exact * (1 - 1e-9) <= found.quantile(share) <= exact * 1.00501


def test_nothing_took_no_time():
    assert Histogram().quantile(0.5) == 0


def test_memory_does_not_grow_with_the_number_of_durations():
    found = Histogram()
    for number in range(1, 100_001):
        found.add(number * 1e-5)
    assert found.count == 100_000
    assert len(found._counts) < 3000
    assert found.quantile(1.0) == found.longest == pytest.approx(1.0)


@pytest.mark.parametrize("seconds", [0.0, -0.001, 1e-9])
def test_what_is_too_short_to_measure_counts_as_a_microsecond_at_most(seconds):
    found = Histogram()
    found.add(seconds)
    assert found.quantile(1.0) <= 1e-6
