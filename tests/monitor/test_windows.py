from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.monitor.windows import by_version, complete_windows


def test_a_window_that_is_not_over_is_not_complete():
    assert complete_windows(0.0, 9.999, 10.0) == []
    assert complete_windows(0.0, 10.0, 10.0) == [(0.0, 10.0)]


def test_a_clock_that_stands_before_the_start_gives_none():
    assert complete_windows(100.0, 50.0, 10.0) == []


@pytest.mark.parametrize("length", [0.0, -1.0, float("nan")])
def test_a_window_without_length_is_refused(length):
    with pytest.raises(ValueError, match="length above 0"):
        complete_windows(0.0, 10.0, length)


@given(st.floats(-1e9, 1e9), st.floats(0, 1e4), st.floats(0.1, 1e3), st.floats(0, 1))
def test_looks_in_between_change_no_window(start, ahead, length, early):
    windows = complete_windows(start, start + ahead, length)
    assert all(end <= start + ahead for _, end in windows)
    assert all(a[1] == b[0] for a, b in pairwise(windows))
    before = complete_windows(start, start + early * ahead, length)
    assert before == windows[: len(before)]


def test_no_window_mixes_versions():
    found = by_version((10.0, 20.0), [(0.0, 1), (12.0, 2), (20.0, 3)])
    assert [(w.start, w.end, w.version) for w in found] == [(10, 12, 1), (12, 20, 2)]


def test_rows_before_the_first_promotion_are_no_versions():
    assert by_version((0.0, 5.0), [(5.0, 1)]) == ()
    assert by_version((0.0, 5.0), []) == ()
    (found,) = by_version((0.0, 5.0), [(3.0, 1)])
    assert (found.start, found.end) == (3.0, 5.0)


def test_two_promotions_at_one_tick_leave_the_later():
    assert [w.version for w in by_version((0.0, 5.0), [(0.0, 1), (2.0, 2), (2.0, 3)])] == [1, 3]
