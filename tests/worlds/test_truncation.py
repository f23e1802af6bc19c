"""The truncation law: what comes later changes no decision that was taken before it could be known."""

import gzip
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from setpoint.contract.spans import Span
from setpoint.wiring.project import ProjectPlan, make_project
from setpoint.wiring.replay import ReplayWish, run_replay
from setpoint.worlds.course import ReplayPlan
from setpoint.worlds.history import truth_of
from setpoint.worlds.replay import Stage, replay

START = 200
QUICK = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ELEC2 = Path(__file__).parents[3] / "shared" / "data" / "elec2" / "elec.csv.gz"


def plain(decisions, before):
    """What was decided before a tick, apart from names that digest the whole table."""
    return [
        (one.at, one.action, one.reason, one.numbers, one.version, one.verdicts)
        for one in decisions
        if one.at < before
    ]


stories = st.fixed_dictionaries(
    {
        "task": st.sampled_from(["binary", "regression"]),
        "time": st.booleans(),
        "rows": st.integers(500, 900),
        "delay": st.sampled_from([0, 1, 40]),
        "batch": st.sampled_from([37, 60, 100]),
        "seed": st.integers(0, 5),
        "change_at": st.integers(150, 600),
        "strategy": st.sampled_from(["direct", "canary", "shadow", "blue_green", "ab", "bandit"]),
        "by_rows": st.booleans(),
    }
)


@pytest.fixture(scope="module")
def played(make_play, small_contract, tmp_path_factory):
    """Replay a table as a story says."""
    stores = {}  # by contract: a fit is taken again under another contract, whose digest its bundle does not name

    def play(story, table):
        time, task = story["time"], story["task"]
        outcome = {"outcome": "mae" if task == "regression" else "accuracy", "not_worse_by": "30%"}
        rails = [{"error_rate": "20%"}, {"latency_p99": "100ms"}, outcome]
        strategy = story["strategy"]
        steps = {} if strategy == "blue_green" else {"steps": ["30%", "100%"]}
        release = {"strategy": strategy, "min_requests": 15, "guardrails": rails, **steps}
        contract = small_contract(
            task,
            time=time,
            delay=story["delay"],
            release=release,
            retrain={"data": "last 200 rows", "budget": {"runs": 50, "per": "9s" if time else "9 rows"}},
            train={"split": {"validation": "0%", "test": "40%"}},
        )  # fmt: skip
        if contract.digest not in stores:
            stores[contract.digest] = tmp_path_factory.mktemp("store")
        made = make_play(stores[contract.digest], contract, table)
        unit = "rows" if story["by_rows"] or not time else "seconds"
        plan = ReplayPlan(
            rows=made.rows,
            truth=truth_of(made.rows),
            start=START,
            batch=Span(float(story["batch"]), unit),
        )
        return replay(plan, Stage(made.world, made.clock)), made.rows.at

    return play


def told(story, small_table):
    names = ("task", "time", "seed", "change_at")
    return small_table(story["rows"], **{name: story[name] for name in names})


STORY = {
    "task": "binary", "time": False, "rows": 900, "delay": 1, "batch": 60, "seed": 0,
    "change_at": 250, "strategy": "direct", "by_rows": True,
}  # fmt: skip


@QUICK
@given(story=stories, part=st.floats(0.05, 0.95))
@example(story=STORY, part=0.9)
@example(
    story=STORY | {"time": True, "delay": 40, "strategy": "canary", "by_rows": False}, part=0.8
)
@example(story=STORY | {"strategy": "shadow"}, part=0.7)
@example(story=STORY | {"strategy": "bandit", "delay": 40}, part=0.8)
def test_first_rows_alone_are_decided_on_as_among_all(played, small_table, story, part):
    table = told(story, small_table)
    rows = START + 1 + int(part * (table.num_rows - START - 1))
    whole, at = played(story, table)
    cut, _ = played(story, table.slice(0, rows))
    after_last = float(np.nextafter(at[rows - 1], np.inf))  # beyond lies the look at an ended table
    assert plain(cut.decisions, after_last) == plain(whole.decisions, after_last)


@QUICK
@given(story=stories, part=st.floats(0.0, 0.95))
@example(story=STORY, part=0.5)
@example(story=STORY | {"task": "regression", "time": True, "delay": 40}, part=0.4)
@example(story=STORY | {"strategy": "ab", "delay": 40}, part=0.6)
@example(story=STORY | {"strategy": "blue_green", "delay": 40}, part=0.6)
def test_labels_change_no_decision_before_they_are_known(played, small_table, story, part):
    table = told(story, small_table)
    row = START + int(part * (table.num_rows - START))
    label = np.asarray(table["y"]).copy()
    label[row:] = -label[row:] if story["task"] == "regression" else np.where(label[row:] == "1", "0", "1")  # fmt: skip
    before, at = played(story, table)
    changed = table.set_column(table.column_names.index("y"), "y", pa.array(label))
    after, _ = played(story, changed)
    moment = float(at[row]) + story["delay"]
    assert plain(after.decisions, moment) == plain(before.decisions, moment)


def test_the_law_is_tested_on_replays_that_decide_something(played, small_table):
    for story in (STORY, STORY | {"task": "regression", "time": True, "strategy": "canary"}):
        found, _ = played(story, told(story, small_table))
        assert found.promotions >= 1
        assert found.fits >= 4


def test_a_leak_from_the_future_is_found(played, small_table, monkeypatch):
    from setpoint.control.rows import LabelledRows

    monkeypatch.setattr(LabelledRows, "known", lambda rows, _: len(rows.at))
    with pytest.raises(AssertionError):
        test_first_rows_alone_are_decided_on_as_among_all.hypothesis.inner_test(
            played, small_table, STORY, 0.5
        )


@pytest.mark.slow
@pytest.mark.skipif(not ELEC2.is_file(), reason="the table elec2 is not here")
def test_first_rows_of_elec2_are_decided_on_as_among_more(tmp_path):
    found = {}
    for rows in (9000, 12_000):
        folder = tmp_path / "elec2"
        project = make_project(ProjectPlan(folder, ELEC2, "class", rows=4000, force=True))
        table = folder / "data" / f"{rows}.csv"
        lines = gzip.decompress(ELEC2.read_bytes()).splitlines(keepends=True)
        table.write_bytes(b"".join(lines[: rows + 1]))
        wish = ReplayWish(
            contract=project.contract,
            data=str(table),
            folder=folder,
            store=tmp_path / "store",
            start="4000",
            label_delay="48",
        )
        found[rows] = run_replay(wish).decisions
    assert plain(found[9000], 9000.0) == plain(found[12_000], 9000.0)
    assert len(plain(found[9000], np.inf)) > 20
