"""Tests of the pace of a model: what is learnt of runs, and that a queue is not refused for want of knowledge."""

import pytest

from setpoint.gateway.models.pace import Pace

MOST = 1024


def paced(fixed_s, row_s, sizes):
    pace = Pace()
    for rows in sizes:
        pace.learn(rows, fixed_s + row_s * rows)
    return pace


def test_nothing_is_promised_or_refused_before_the_first_run():
    pace = Pace()
    assert pace.wait_s(1_000_000, MOST) == 0
    assert pace.batch(MOST) == MOST


@pytest.mark.parametrize(("fixed_s", "row_s"), [(0.01, 0.0001), (0.0, 0.02), (0.2, 0.0)])
def test_cost_of_a_run_and_of_a_row_are_told_apart(fixed_s, row_s):
    pace = paced(fixed_s, row_s, [1, 5, 20, 3, 40, 8])
    batch = pace.batch(MOST)
    runs = -(-1000 // batch)
    assert pace.wait_s(1000, MOST) == pytest.approx(runs * fixed_s + 1000 * row_s, rel=1e-6)


def test_rows_that_cost_time_make_short_runs_and_free_rows_make_full_ones():
    slow = paced(0.0, 0.02, [1, 2, 4])
    assert slow.batch(MOST) == 5  # a tenth of a second
    assert paced(0.0, 0.5, [1, 2, 4]).batch(MOST) == 1
    assert paced(0.01, 1e-6, [1, 50, 400, 1000]).batch(MOST) == MOST


def test_costly_run_is_shared_by_enough_rows_that_it_is_a_tenth_of_the_time():
    pace = paced(0.5, 0.001, [1, 10, 100])
    assert pace.batch(1_000_000) == pytest.approx(9 * 0.5 / 0.001, rel=1e-3)


def test_run_grows_step_by_step_while_nobody_knows_what_rows_cost():
    pace = paced(0.0, 0.5, [1])
    assert pace.batch(MOST) == 8
    assert (
        paced(0.0, 0.0001, [1]).batch(MOST) == MOST
    )  # even if rows cost all the time, that is a second


def test_runs_of_one_size_do_not_make_it_forget_what_rows_cost():
    pace = paced(0.0, 0.02, [1, 2, 4] + [5] * 500)
    assert pace.batch(MOST) == 5
    assert pace.wait_s(500, MOST) == pytest.approx(10.0, rel=1e-3)


def test_model_that_became_slow_is_noticed():
    pace = paced(0.01, 0.0, [1, 2, 4, 8])
    for rows in (8, 4, 8, 4) * 10:
        pace.learn(rows, 1.0)
    assert pace.wait_s(1, MOST) == pytest.approx(1.0, rel=0.05)
