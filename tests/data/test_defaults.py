import pytest

from setpoint.contract.parse import from_plain
from setpoint.data.defaults import Facts, default_sections, metric_of


@pytest.mark.parametrize(
    ("facts", "metric"),
    [
        (Facts("binary", 5000, has_time=False, minority=0.3), "accuracy"),
        (Facts("binary", 5000, has_time=False, minority=0.1), "roc_auc"),
        (Facts("multiclass", 5000, has_time=False, minority=0.1), "accuracy"),
        (Facts("regression", 5000, has_time=False), "mae"),
    ],
)
def test_the_metric_follows_from_task_and_balance(facts, metric):
    assert metric_of(facts) == metric


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("has_time", [False, True])
@pytest.mark.parametrize("rows", [10, 7000, 2_000_000])
def test_the_defaults_are_a_contract_on_their_axis(task, has_time, rows):
    sections = default_sections(Facts(task, rows, has_time, minority=0.4, rows_a_day=rows / 100))
    data = {"source": "x", "target": "y"} | ({"time": "t"} if has_time else {})
    found = from_plain({"model": {"name": "m", "task": task}, "data": data, **sections})
    assert found.axis == ("time" if has_time else "rows")
    assert found.release.strategy == "direct"
    assert len(found.gates) == 2
