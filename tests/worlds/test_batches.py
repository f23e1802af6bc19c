"""Batches of a replay: every row once, in order, cut by the past alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.contract.spans import Span
from setpoint.errors import UsageError
from setpoint.worlds.batches import cut_batches, default_batch, default_start

DAY = 86400.0


@given(
    st.lists(st.integers(0, 50), min_size=2, max_size=80).map(sorted),
    st.data(),
    st.floats(0.5, 40),
)
def test_every_row_from_the_start_is_answered_once_and_in_order(ticks, data, length):
    at = np.array(ticks, dtype=float)
    start = data.draw(st.integers(0, at.size - 1))
    for unit, axis in (("rows", "rows"), ("rows", "time"), ("seconds", "time")):
        batches = cut_batches(at, start, Span(length, unit), axis)
        rows = [row for first, end in batches for row in range(first, end)]
        assert rows == list(range(start, at.size))
        assert all(first < end for first, end in batches)


@given(st.lists(st.integers(0, 50), min_size=4, max_size=80).map(sorted), st.integers(1, 20))
def test_rows_that_follow_move_no_earlier_cut(ticks, length):
    at = np.array(ticks, dtype=float)
    half = at.size // 2
    for unit in ("rows", "seconds"):
        whole = cut_batches(at, 1, Span(float(length), unit), "time")
        part = cut_batches(at[: half + 1], 1, Span(float(length), unit), "time")
        starts = [first for first, _ in whole if first <= half]
        assert [first for first, _ in part] == starts


def test_empty_stretches_of_time_make_no_batch():
    at = np.array([0.0, 1.0, 100.0, 101.0])
    assert cut_batches(at, 0, Span(10.0, "seconds"), "time") == [(0, 2), (2, 4)]


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_batch_without_length_is_refused(value):
    with pytest.raises(UsageError, match="length above 0"):
        cut_batches(np.arange(5.0), 1, Span(value, "rows"), "rows")


def test_time_without_a_time_axis_is_refused():
    with pytest.raises(UsageError, match="number of rows"):
        cut_batches(np.arange(5.0), 1, Span(DAY, "seconds"), "rows")


def test_usual_batch_holds_about_a_hundred_rows_or_more():
    assert default_batch(np.arange(10.0), "rows") == Span(250.0, "rows")
    hourly = np.arange(2000) * 3600.0
    assert default_batch(hourly, "time") == Span(7 * DAY, "seconds")
    assert default_batch(np.arange(2000) * 10.0, "time") == Span(3600.0, "seconds")
    assert default_batch(np.array([]), "time") == Span(30 * DAY, "seconds")
    assert default_batch(np.zeros(5), "time") == Span(30 * DAY, "seconds")


def test_replay_of_a_short_table_starts_in_its_middle():
    assert default_start(45_000) == 4000
    assert default_start(7999) == 3999
    assert default_start(1) == 0
