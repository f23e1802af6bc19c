"""What the loop is held against: it may know no more than the loop does."""

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from setpoint.errors import TrainingError
from setpoint.worlds.history import truth_of
from setpoint.worlds.lines import Judge, Refitting, Schedule, no_change


@pytest.fixture
def play(tmp_path, make_play, small_contract, small_table):
    def make(task="binary", *, delay=0, rows=60, time=False, table=None, **sections):
        contract = small_contract(task, delay=delay, time=time, **sections)
        given = small_table(rows, task=task, time=time) if table is None else table
        return make_play(tmp_path, contract, given)

    return make


@pytest.mark.parametrize("delay", [0, 1, 7, 48])
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_last_known_label_is_the_last_that_is_known(play, task, delay):
    made = play(task, delay=delay)
    truth = truth_of(made.rows)
    found = no_change(truth, made.rows, 10)
    mine, theirs = (found.label, truth.label) if truth.classes else (found.value, truth.value)
    for row in range(10, 60):
        known = made.rows.known(float(made.rows.at[row]))
        if known == 0:
            assert mine[row] == -1 or np.isnan(mine[row])
        else:
            assert mine[row] == theirs[known - 1], row


def test_last_known_label_on_the_time_axis_is_no_later_than_its_delay(play):
    made = play("regression", delay=30, time=True)
    truth = truth_of(made.rows)
    found = no_change(truth, made.rows, 20)
    answered = np.flatnonzero(np.isfinite(found.value))
    assert answered.tolist() == [
        row for row in range(20, 60) if made.rows.at[row] - 30 >= made.rows.at[0]
    ]
    for row in answered:
        last = int(np.flatnonzero(truth.value == found.value[row])[-1])
        assert made.rows.at[last] <= made.rows.at[row] - 30


def test_schedule_refits_at_the_pace_that_the_contract_names(small_contract):
    schedule = Schedule(small_contract(retrain={"when": ["rows.new >= 100"]}))
    schedule.begin(400, 400.0)
    asked = (450, 499, 500, 520, 600)
    assert [schedule.is_due(known, float(known)) for known in asked] == [
        False, False, True, False, True,
    ]  # fmt: skip
    assert "100" in schedule.words


def test_schedule_without_a_pace_is_every_thousand_rows(small_contract):
    schedule = Schedule(small_contract(retrain={"when": ["drift.share > 30%"]}))
    schedule.begin(0, 0.0)
    assert [schedule.is_due(known, 0.0) for known in (999, 1000, 1001)] == [False, True, False]


def test_schedule_by_the_clock_fires_once_an_instant(small_contract):
    contract = small_contract(time=True, retrain={"when": [{"schedule": "0 * * * *"}]})
    schedule = Schedule(contract)
    schedule.begin(0, 1800.0)
    asked = (3599.0, 3600.0, 3700.0, 20_000.0)
    assert [schedule.is_due(9, now) for now in asked] == [False, True, False, True]


def test_refit_that_fails_gives_no_model(play):
    made = play()

    class Failing:
        def train(self, _job):
            raise TrainingError("memory", "too much")

    refitting = Refitting(made.rows, made.contract, Failing(), made.world.tables)
    assert refitting.fit(50) is None


def test_refit_learns_from_the_rows_that_the_contract_says(play):
    made = play(retrain={"data": "last 20 rows"})
    asked = []

    class Asked:
        def train(self, job):
            asked.append(np.load(job.rows)["fit"].tolist())
            raise TrainingError("memory", "enough seen")

    Refitting(made.rows, made.contract, Asked(), made.world.tables).fit(50)
    assert asked == [list(range(30, 50))]


def test_rows_without_an_outcome_are_not_judged(play, small_table):
    table = small_table(60)
    label = table["y"].to_pylist()
    label[40:50] = [None] * 10
    made = play(table=table.set_column(2, "y", pa.array(label)))
    truth = truth_of(made.rows)
    right = replace(made.history.scores, label=np.where(truth.label < 0, 0, truth.label))
    judge = Judge("accuracy", truth)
    assert judge.value(right, np.arange(35, 55)) == 1.0
    assert judge.value(right, np.arange(40, 50)) is None
    assert judge.value(right, np.arange(0)) is None
