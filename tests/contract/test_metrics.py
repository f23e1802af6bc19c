from typing import get_args

from setpoint.contract.metrics import METRICS, NAIVE, OTHER_NAMES, PRIMARY_METRIC, MetricName, Task


def test_every_metric_is_specified():
    assert set(METRICS) == set(get_args(MetricName))


def test_every_task_has_a_metric_and_a_baseline_of_its_own():
    for task in get_args(Task):
        assert task in METRICS[PRIMARY_METRIC[task]].tasks
        assert task in NAIVE


def test_better_points_from_worst_to_best():
    for spec in METRICS.values():
        if spec.worst is not None:
            assert (spec.best > spec.worst) == (spec.better == "higher")


def test_other_names_lead_to_metrics_and_are_none():
    assert set(OTHER_NAMES.values()) <= set(METRICS)
    assert not set(OTHER_NAMES) & set(METRICS)
