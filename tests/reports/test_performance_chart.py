from itertools import pairwise

import numpy as np
import pytest

from setpoint.facts.replay import Batch
from setpoint.reports.drawing import png, svg
from setpoint.reports.performance_chart import POINTS, joined, performance_chart, spread, trailing


def batch(n, loop, start=0.0):
    return Batch(start=start, end=start + 1, n=n, loop=loop)


def test_means_are_weighted_by_rows_and_pass_over_unknown_batches():
    values = trailing([batch(1, 1.0), batch(3, 0.0), batch(9, None), batch(1, 0.5)], "loop", 2)
    assert values.tolist() == pytest.approx([1.0, 0.25, 0.0, 0.5])


def test_a_stretch_without_any_value_stays_a_gap():
    values = trailing([batch(1, 1.0), batch(1, None), batch(1, None)], "loop", 1)
    assert np.isnan(values[1:]).all()


def test_joining_batches_keeps_every_row_and_the_weighted_mean():
    rng = np.random.default_rng(1)
    batches = [batch(int(rng.integers(1, 50)), rng.random(), float(i)) for i in range(1003)]
    few = joined(batches, 400)
    assert len(few) == 400
    assert sum(b.n for b in few) == sum(b.n for b in batches)
    assert (few[0].start, few[-1].end) == (0.0, 1003.0)
    total = sum(b.n * b.loop for b in batches) / sum(b.n for b in batches)
    assert sum(b.n * b.loop for b in few) / sum(b.n for b in few) == pytest.approx(total)


def test_a_long_history_draws_no_more_points_than_can_be_seen(make_replay):
    long = make_replay(count=3 * POINTS)
    text = svg(performance_chart(long), name="p", title="t")
    assert len(text) < 150_000


def test_labels_at_the_ends_do_not_lie_on_each_other():
    moved = spread([0.50, 0.50, 0.51, 0.9], 0.05, (0.0, 0.92))
    assert all(b - a >= 0.05 - 1e-9 for a, b in pairwise(moved))
    assert moved[-1] <= 0.92
    assert spread([0.1, 0.5], 0.05, (0, 1)) == [0.1, 0.5]


def test_every_kind_of_event_is_named_in_words(make_replay):
    text = svg(performance_chart(make_replay()), name="p", title="t")
    for words in ("promoted", "refused", "rolled back", "data blocked", "alert", "retrain opened"):
        assert f">{words}<" in text


def test_the_lines_are_told_apart_without_colour(make_replay):
    text = svg(performance_chart(make_replay()), name="p", title="t")
    for dash in ('"7,3"', '"3,2"', '"1,3"'):
        assert f"stroke-dasharray={dash}" in text
    for name in ("loop", "scheduled", "static", "no_change"):
        assert f">{name}<" in text


def test_the_axis_says_what_it_shows_and_no_total_stands_at_a_height_that_is_not_its_own(
    make_replay,
):
    text = svg(performance_chart(make_replay()), name="p", title="t")
    assert ">roc_auc (higher is better)<" in text
    assert "0.7921" not in text


def test_a_far_off_baseline_does_not_flatten_the_others(make_replay):
    replay = make_replay()
    far = tuple(
        Batch(start=b.start, end=b.end, n=b.n, loop=b.loop, static=b.static, no_change=90.0)
        for b in replay.batches
    )
    text = svg(performance_chart(make_replay(batches=far, no_change=90.0)), name="p", title="t")
    assert "no_change 90 (off the chart)" in text
    assert ">0.80<" in text


def test_there_is_no_chart_without_a_value(make_replay):
    assert performance_chart(make_replay(batches=())) is None
    assert (
        performance_chart(make_replay(batches=tuple(batch(5, None, float(i)) for i in range(9))))
        is None
    )


def test_one_batch_is_drawn_too(make_replay):
    chart = performance_chart(make_replay(batches=(batch(5, 0.5),), axis="rows", decisions=()))
    assert png(chart).startswith(b"\x89PNG")
