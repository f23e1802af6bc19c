import json

import numpy as np
import pyarrow as pa
import pytest

from setpoint.contract.parse import parse
from setpoint.data.profile import WindowPlan, prediction_profile, profile_of
from setpoint.facts.evidence import Scores
from setpoint.facts.profile import Profile
from setpoint.facts.signal import Window
from setpoint.monitor.answered import Answered


@pytest.fixture(scope="session")
def make_contract():
    """Make a contract on the axis of rows; `monitor` is its section, `columns` what data.columns says."""

    def make(task="binary", columns=None, **monitor):
        data = {"source": "rows.parquet", "target": "y", "columns": columns or {}}
        monitor = {"window": "1000 rows", **monitor}
        plain = {"model": {"name": "m", "task": task}, "data": data, "monitor": monitor}
        return parse(json.dumps(plain))

    return make


@pytest.fixture(scope="session")
def make_profile(make_contract):
    """Make the profile of a table of features, with that of the answers where scores are given."""

    def make(table, *, length=1000, ordered=True, scores=None, classes=("0", "1")):
        plan = WindowPlan(lengths=(length,), ordered=ordered)
        made = profile_of(pa.table(table), make_contract(), plan)
        columns = made.columns
        if scores is not None:
            columns = (*columns, prediction_profile(scores, classes, plan))
        return Profile(rows=made.rows, columns=columns, label_shares=made.label_shares)

    return make


@pytest.fixture(scope="session")
def make_answered():
    """Make a window of features; truth and labels are class codes of two classes."""

    def make(table, *, label=None, truth=None, known=None, probability=None, **rest):
        rows = len(next(iter(table.values()))) if table else len(label)
        label = np.zeros(rows, dtype=np.int64) if label is None else np.asarray(label)
        chance = label.astype(float) if probability is None else np.asarray(probability)
        truth = np.empty(0) if truth is None else np.asarray(truth)
        if known is None:
            known = np.ones(truth.size, dtype=bool)
        return Answered(
            window=rest.pop("window", Window(start=0, end=rows, version=1, rows=rows)),
            classes=("0", "1"),
            features=pa.table(table),
            scores=Scores(label=label, probability=np.c_[1 - chance, chance], value=np.empty(0)),
            truth=truth,
            known=known,
            **rest,
        )

    return make


@pytest.fixture(scope="session")
def named():
    """Index signals by name."""

    def index(signals):
        found = {signal.name: signal for signal in signals}
        assert len(found) == len(signals)
        return found

    return index
