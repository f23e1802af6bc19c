"""Rows that are known: no label a moment early, no blocked row in a fit."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.control.rows import admitted, latest, positions
from setpoint.facts.state import Blocked


def blocked(start, end):
    return Blocked(start=start, end=end, checks=("label_share",), reason="", at=0.0)


@pytest.fixture
def rows(tmp_path, make_play, small_contract, small_table):
    def make(*, delay=0, time=False, unfolding=True):
        contract = small_contract(delay=delay, time=time)
        return make_play(tmp_path, contract, small_table(100, time=time), unfolding=unfolding).rows

    return make


@pytest.mark.parametrize(("delay", "known"), [(0, 50), (1, 50), (10, 41), (49, 2), (51, 0)])
def test_row_is_known_once_it_is_over_and_its_label_is_due(rows, delay, known):
    found = rows(delay=delay).known(50.0)
    assert found == known


def test_row_at_this_very_moment_is_not_known(rows):
    history = rows(time=True)
    moment = history.at[50]
    assert history.known(float(moment)) == int(np.count_nonzero(history.at < moment))


def test_label_is_known_exactly_at_its_delay_on_the_time_axis(rows):
    history = rows(time=True, delay=30)
    due = float(history.at[20]) + 30.0
    same = int(np.count_nonzero(history.at <= history.at[20]))
    assert history.known(due) == same
    assert history.known(due - 0.5) < same


def test_a_source_that_was_read_is_known_whole(rows):
    assert rows(unfolding=False, delay=10).known(-5.0) == 100


def test_no_row_is_known_of_an_empty_history(rows):
    history = rows()
    none = replace(history, at=np.empty(0))
    assert none.known(10.0) == 0


def test_blocked_rows_are_left_out_wherever_they_lie():
    assert admitted(100, ()) == ((0, 100),)
    assert admitted(0, ()) == ()
    assert admitted(100, [blocked(0, 10), blocked(90, 100)]) == ((10, 90),)
    assert admitted(100, [blocked(50, 60), blocked(10, 20)]) == ((0, 10), (20, 50), (60, 100))
    assert admitted(100, [blocked(0, 100)]) == ()
    assert admitted(15, [blocked(10, 20)]) == ((0, 10),)
    assert admitted(15, [blocked(20, 30)]) == ((0, 15),)


spans = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda pair: tuple(sorted(pair)))


@given(st.integers(0, 60), st.lists(spans, max_size=5), st.integers(0, 70))
def test_ranges_hold_just_the_rows_that_are_known_and_not_blocked(known, blocks, newest):
    ranges = admitted(known, [blocked(*span) for span in blocks])
    wanted = [row for row in range(known) if not any(a <= row < b for a, b in blocks)]
    assert positions(ranges).tolist() == wanted
    kept = positions(latest(ranges, newest)).tolist()
    assert kept == (wanted[-newest:] if newest else [])
