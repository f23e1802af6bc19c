"""Replays over real tables, as a person asks for them; and replays that are killed."""

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from setpoint.errors import DataError, UsageError
from setpoint.wiring.project import ProjectPlan, make_project
from setpoint.wiring.replay import ReplayWish, run_replay

DATA = Path(__file__).parents[3] / "shared" / "data"
COMPAS = DATA / "compas" / "compas-scores-two-years.csv"
BANK = DATA / "bank_marketing" / "bank-additional-full.csv.gz"
SEOUL = DATA / "seoul_bike" / "SeoulBikeData.csv"
NOAA = DATA / "noaa_weather" / "weather.csv"

KILLS = 5


def needs(table):
    return pytest.mark.skipif(not table.is_file(), reason=f"{table} is not here")


@pytest.fixture
def asked(tmp_path):
    """Make a project from the rows before the start, and ask for a replay over all of them."""

    def make(table, target, *, before, data=None, **plan):
        head = tmp_path / f"{before if isinstance(before, int) else 'head'}.csv"
        encoding = "latin1"
        if isinstance(before, int):
            project = make_project(ProjectPlan(tmp_path / "p", table, target, rows=before, **plan))
        else:
            rows = pd.read_csv(table, encoding=encoding, dtype=str, keep_default_na=False)
            rows[before(rows)].to_csv(head, index=False, encoding=encoding)
            project = make_project(ProjectPlan(tmp_path / "p", head, target, **plan))
        return ReplayWish(
            contract=project.contract,
            data=str(data or table),
            folder=tmp_path / "p",
            store=tmp_path / "store",
        )

    return make


def first_rows(table, rows, path):
    """Copy the header and the first rows of a table, so that a replay is short."""
    read = gzip.open if table.suffix == ".gz" else open
    with read(table, "rb") as file:
        path.write_bytes(b"".join(islice(file, rows + 1)))
    return path


def day(text):
    return float(np.datetime64(text, "s").astype("int64"))


@pytest.mark.slow
@needs(COMPAS)
def test_rows_that_are_all_recidivists_are_kept_out_and_no_others(asked):
    wish = asked(
        COMPAS,
        "two_year_recid",
        before=lambda rows: rows["compas_screening_date"] < "2013-10-01",
        time="compas_screening_date",
    )
    found = run_replay(replace(wish, start="2013-10-01", batch="30d"))
    blocked = [one for one in found.decisions if one.action == "block"]
    # A look comes 30 days after the one before, and judges the rows since then; the last one, those at the end.
    looks = [batch.start for batch in found.batches]
    bad = [at for at in looks if at > day("2014-04-02")]
    assert [one.at for one in blocked[:-1]] == bad
    assert blocked[-1].at > bad[-1]
    assert blocked[-1].numbers["end"] == found.rows
    kept_out = [(one.numbers["start"], one.numbers["end"]) for one in blocked]
    assert all(before[1] == after[0] for before, after in pairwise(kept_out))
    assert len(bad) >= 9
    assert all(one.numbers["checks"] == ["label_share"] for one in blocked)
    assert all("champion's training rows" in one.reason for one in blocked)
    assert found.data_blocked == len(bad) + 1


@pytest.mark.slow
@needs(BANK)
def test_shift_of_labels_is_held_until_a_person_accepts_it(asked, tmp_path):
    part = first_rows(BANK, 31_000, tmp_path / "part.csv")
    wish = replace(asked(part, "y", before=29_500), start="29500", batch="500 rows")
    held = run_replay(wish)
    blocked = [one for one in held.decisions if one.action == "block"]
    assert blocked
    assert all(one.numbers["accept"] == ["label_share"] for one in blocked)
    assert all("label_share of y" in one.reason for one in blocked)
    free = run_replay(replace(wish, accept=("label_share",)))
    assert free.data_blocked == 0
    assert free.decisions[0].action == "accept"
    assert free.fits > held.fits


@pytest.mark.slow
@needs(SEOUL)
def test_loop_keeps_up_with_the_seasons(asked):
    wish = asked(
        SEOUL,
        "Rented Bike Count",
        before=lambda rows: np.arange(len(rows)) < 24 * 90,
        time="Date",
    )
    found = run_replay(replace(wish, start="2018-03-01", batch="7d", label_delay="1d"))
    assert found.metric == "mae"
    assert found.loop <= 0.6 * found.static


@pytest.mark.slow
@needs(NOAA)
def test_loop_promotes_what_is_better_in_the_weather(asked, tmp_path):
    part = first_rows(NOAA, 11_000, tmp_path / "part.csv")
    found = run_replay(replace(asked(part, "target", before=4000), start="4000"))
    assert found.promotions >= 2
    assert found.loop > found.static
    assert found.refused > found.promotions


@pytest.fixture
def small(tmp_path):
    """A project of 1,600 rows whose answer turns into its contrary in the middle."""
    rng = np.random.default_rng(5)
    rows = 1600
    a, b = rng.normal(size=rows), rng.normal(size=rows)
    sign = np.where(np.arange(rows) < 700, 1, -1)
    label = np.where(sign * a + 0.2 * rng.normal(size=rows) > 0, "yes", "no")
    table = tmp_path / "rows.csv"
    pd.DataFrame({"a": a.round(4), "b": b.round(4), "y": label}).to_csv(table, index=False)
    folder = tmp_path / "p"
    contract = {
        "model": {"name": "small", "task": "binary"},
        "data": {"source": "../rows.csv", "target": "y", "positive": "yes"},
        "train": {
            "estimator": "sklearn.tree.DecisionTreeClassifier",
            "params": {"max_depth": 3},
            "split": {"validation": "0%", "test": "40%"},
        },
        "gates": [{"metric": "accuracy", "beats_champion": "0 abs", "confidence": "80%"}],
        "release": {"strategy": "direct"},
        "monitor": {"window": "100 rows", "performance": {"metric": "accuracy"}},
        "retrain": {
            "when": ["rows.new >= 100"],
            "data": "last 250 rows",
            "cooldown": "50 rows",
            "budget": {"runs": 50, "per": "10 rows"},
        },
    }
    folder.mkdir()
    (folder / "model_contract.yaml").write_text(json.dumps(contract))
    return folder


def command(folder):
    entry = "from setpoint.cli import main; main()"
    flags = ["replay", "--start", "500", "--batch", "50", "--label-delay", "10", "--json"]
    return subprocess.Popen(
        [sys.executable, "-c", entry, *flags],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def result(process):
    out, _ = process.communicate(timeout=120)
    assert process.returncode == 0, out
    return json.loads(out)


def jobs_in(folder):
    found = (folder / ".setpoint" / "replay").glob("[!.]*/jobs/[!.]*/result.json")
    return {path.parent.name: path.stat().st_mtime_ns for path in found}


def stable(found):
    return [
        [one[name] for name in ("at", "action", "reason", "numbers", "verdicts")]
        for one in found["decisions"]
    ]


@pytest.mark.slow
def test_killed_at_any_moment_it_decides_the_same_and_fits_nothing_twice(small):
    begun = time.perf_counter()
    undisturbed = result(command(small))
    lasted = time.perf_counter() - begun
    assert undisturbed["promotions"] >= 1
    assert not jobs_in(small), "a replay that is done leaves no fits behind"
    rng, most = random.Random(3), 0
    kept = {}
    for _ in range(KILLS):
        process = command(small)
        try:
            process.wait(timeout=rng.uniform(0.3, 0.9) * lasted)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        now = jobs_in(small)
        if process.returncode == 0 or not now:  # it came to its end, and forgot its fits
            kept = {}
            continue
        assert kept.items() <= now.items(), "what was fitted is kept as it was"
        kept, most = now, max(most, len(now))
    assert most > 0
    assert stable(result(command(small))) == stable(undisturbed)


def test_replay_needs_rows_before_and_after_its_start(small):
    from setpoint.wiring.validation import read_contract

    read = read_contract(small / "model_contract.yaml")
    wish = ReplayWish(contract=read, data=None, folder=small, store=small / ".setpoint")
    for start, said in (("0", "before the start"), ("1600", "some after"), ("soon", "row number")):
        with pytest.raises(UsageError, match=said):
            run_replay(replace(wish, start=start))
    with pytest.raises(UsageError, match=r"data\.time"):
        run_replay(replace(wish, batch="7d"))
    with pytest.raises(UsageError, match=r"data\.time"):
        run_replay(replace(wish, label_delay="7d"))


def test_replay_of_no_rows_says_so(small):
    from setpoint.wiring.validation import read_contract

    read = read_contract(small / "model_contract.yaml")
    (small / "none.csv").write_text("a,b,y\n")
    wish = ReplayWish(contract=read, data="none.csv", folder=small, store=small / ".setpoint")
    with pytest.raises(DataError, match="no rows"):
        run_replay(wish)
