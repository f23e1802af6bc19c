import numpy as np
import pytest

from setpoint.facts.evidence import Evidence, Scores
from setpoint.gates.judge import judge


def test_interval_covers_the_true_gain_about_as_often_as_it_says(gate) -> None:
    """Two models that are right with .85 and .80: the true gain is .05."""
    rng = np.random.default_rng(5)
    rule = gate(metric="accuracy", beats_champion="0 abs", confidence="80%")
    covered = 0
    for seed in range(60):
        truth = rng.integers(0, 2, 500)
        scores = []
        for skill in (0.85, 0.80):
            answered = np.where(rng.random(500) < skill, truth, 1 - truth)
            scores.append(Scores(label=answered, probability=np.empty((500, 0)), value=np.empty(0)))
        evidence = Evidence(
            classes=("a", "b"),
            truth_label=truth,
            truth_value=np.empty(0),
            candidate=scores[0],
            champion=scores[1],
            champion_unseen=np.ones(500, dtype=bool),
            ordered=False,
        )
        found = judge([rule], evidence, k=1, seed=seed)[0]
        assert found.evidence["alpha"] == pytest.approx(0.1)
        assert found.interval is not None
        covered += found.interval[0] <= 0.05 <= found.interval[1]
    assert 48 <= covered <= 59  # 90 % of 60, give or take 2.6 sigma


def test_relative_and_absolute_margins_are_told_in_the_metrics_unit(gate, binary) -> None:
    evidence = binary(champion=1.0)
    relative = judge([gate(metric="f1", beats_champion="10%")], evidence, k=1, seed=0)[0]
    absolute = judge([gate(metric="f1", beats_champion="0.1 abs")], evidence, k=1, seed=0)[0]
    assert relative.limit == pytest.approx(0.1 * relative.evidence["other"])
    assert absolute.limit == pytest.approx(0.1)
    assert relative.observed == pytest.approx(absolute.observed)
    assert relative.evidence["candidate"] == pytest.approx(
        relative.evidence["other"] + relative.observed
    )
