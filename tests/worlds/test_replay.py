"""What a replay reports of itself: numbers that add up, and gates that say what they cost."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from setpoint.contract.spans import Span
from setpoint.errors import UsageError
from setpoint.facts.evidence import Scores
from setpoint.stats.metrics import METRICS
from setpoint.worlds.course import ReplayPlan
from setpoint.worlds.history import Truth, truth_of
from setpoint.worlds.lines import Judge
from setpoint.worlds.notes import notes_of
from setpoint.worlds.replay import Stage, gain, replay

START = 300


@pytest.fixture(scope="module")
def made(make_play, small_contract, small_table, tmp_path_factory):
    contract = small_contract(
        delay=10,
        retrain={"data": "last 200 rows", "budget": {"runs": 50, "per": "9 rows"}},
        train={"split": {"validation": "0%", "test": "40%"}},
    )
    return make_play(tmp_path_factory.mktemp("store"), contract, small_table(900, change_at=350))


def plan_of(made, **more):
    asked = {"start": START, "batch": Span(50.0, "rows"), **more}
    return ReplayPlan(rows=made.rows, truth=truth_of(made.rows), **asked)


@pytest.fixture(scope="module")
def progress():
    return []


@pytest.fixture(scope="module")
def found(made, progress):
    return replay(
        plan_of(made, progress=lambda *told: progress.append(told)), Stage(made.world, made.clock)
    )


def test_counts_are_those_of_the_decisions(found):
    actions = [one.action for one in found.decisions]
    assert found.promotions == actions.count("promote") >= 1
    assert found.refused == actions.count("refuse")
    assert found.rollbacks == actions.count("roll_back")
    assert found.data_blocked == actions.count("block")
    assert found.fits == actions.count("retrain") + 2  # the first model, and its twin
    assert found.scheduled_fits >= 1


def test_what_the_replay_was_told_is_on_record(found, made):
    told = found.settings
    assert (told.start, told.batch, told.label_delay) == (START, "50 rows", "10 rows")
    assert told.start_at == made.rows.at[START]
    assert told.seed == made.contract.train.seed


def test_judgements_name_the_attempt_they_judged_promotions_too(found):
    opened = {one.attempt for one in found.decisions if one.action == "retrain"}
    assert {cost.action for cost in found.gate_costs} >= {"promote"}
    assert {cost.attempt for cost in found.gate_costs} <= opened


def test_what_the_replay_assumes_is_said_with_it(found, made):
    assert found.notes == notes_of(made.contract) != ()


def test_batches_hold_every_answered_row_once(found):
    assert sum(batch.n for batch in found.batches) == 900 - START
    weighted = sum(batch.loop * batch.n for batch in found.batches) / (900 - START)
    assert found.loop == pytest.approx(weighted)


def test_loop_is_worth_having_after_a_change(found):
    assert found.loop > found.static + 0.2


def test_each_promotion_and_refusal_says_what_it_was_worth(found):
    judged = [one for one in found.decisions if one.action in ("promote", "refuse")]
    assert [cost.at for cost in found.gate_costs] == [one.at for one in judged]
    promoted = [cost for cost in found.gate_costs if cost.action == "promote"]
    assert promoted[0].gain > 0
    assert all(cost.interval[0] <= cost.gain <= cost.interval[1] for cost in promoted)


def test_progress_reaches_the_end(found, progress):
    assert [rows for rows, _, _ in progress] == list(range(START, 901, 50))
    assert {count for _, count, _ in progress} == {900}


def test_seconds_of_fits_are_part_of_all_seconds(found):
    assert 0 < found.fit_predict_seconds < found.seconds


def test_drift_is_kept_for_each_column_and_window(found):
    assert {cell.column for cell in found.drift} == {"a", "b"}
    windows = {(cell.start, cell.end) for cell in found.drift}
    assert len(found.drift) == 2 * len(windows)


@pytest.mark.parametrize("start", [0, 900, 1000])
def test_start_without_rows_on_both_sides_is_refused(made, start):
    with pytest.raises(UsageError, match=str(start)):
        replay(plan_of(made, start=start), Stage(made.world, made.clock))


def test_gain_is_positive_for_the_better_model_whatever_the_metric():
    rng = np.random.default_rng(0)
    rows = np.arange(400)
    label = rng.integers(0, 2, 400)
    truth = Truth(("0", "1"), label, np.empty(0))
    good = np.clip(label * 0.5 + 0.25 + rng.normal(0, 0.1, 400), 0, 1)
    bad = rng.random(400)
    for metric in ("accuracy", "brier", "log_loss", "roc_auc"):
        better, worse = (
            Scores((one > 0.5).astype(np.int64), np.stack([1 - one, one], axis=1), np.empty(0))
            for one in (good, bad)
        )
        judge = Judge(metric, truth)
        assert judge.higher_is_better == METRICS[metric].higher_is_better
        there = gain(judge, better, worse, rows)
        back = gain(judge, worse, better, rows)
        assert there.low > 0, metric
        assert back.value == pytest.approx(-there.value)
    value = Truth((), np.empty(0, dtype=np.int64), rng.normal(size=400))
    none = replace(better, label=np.empty(0, dtype=np.int64), probability=np.empty((0, 0)))
    near, far = (replace(none, value=value.value + step) for step in (0.1, 1.0))
    assert gain(Judge("mae", value), near, far, rows).value == pytest.approx(0.9)


def test_rows_of_the_last_batch_are_checked_when_their_labels_are_known(
    make_play, small_contract, small_table, tmp_path
):
    table = small_table(700)
    label = np.asarray(table["y"]).copy()
    label[620:] = "1"
    table = table.set_column(table.column_names.index("y"), "y", pa.array(label))
    made = make_play(tmp_path, small_contract(delay=10), table)
    found = replay(
        ReplayPlan(
            rows=made.rows, truth=truth_of(made.rows), start=START, batch=Span(320.0, "rows")
        ),
        Stage(made.world, made.clock),
    )
    blocked = [one for one in found.decisions if one.action == "block"]
    assert [(one.numbers["start"], one.numbers["end"]) for one in blocked] == [(611, 700)]
    assert blocked[0].at == 709.0
    assert found.decisions[-1] is blocked[0]
