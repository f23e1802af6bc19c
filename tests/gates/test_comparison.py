from dataclasses import replace

import numpy as np
import pytest

from setpoint.facts.evidence import Evidence, Scores
from setpoint.gates.judge import judge


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(("metric", "most"), [("mae", 6), ("roc_auc", 5)])
def test_equal_models_on_rows_that_resemble_their_neighbours_are_not_told_apart(
    gate, metric, most
) -> None:
    """Two errors that each last for ten rows. Taken as independent rows, half of such pairs "differ" by MAE."""
    rng = np.random.default_rng(3)
    rule = gate(metric=metric, beats_champion="0 abs")
    decided = {True: 0, False: 0}
    for seed in range(50):
        found = _two_equal(rng, metric)
        for ordered in decided:
            told = judge([rule], replace(found, ordered=ordered), k=1, seed=seed)[0]
            decided[ordered] += told.verdict != "inconclusive"
    assert decided[True] <= most
    assert decided[False] > most


def _two_equal(rng, metric, n=1000):
    errors = [_lasting(rng, n) for _ in range(2)]
    if metric == "mae":
        truth = rng.normal(size=n)
        numbers = [
            Scores(
                label=np.empty(0, dtype=np.int64),
                probability=np.empty((n, 0)),
                value=truth + error,
            )
            for error in errors
        ]
        return _evidence((), np.empty(0, dtype=np.int64), truth, numbers)
    label = rng.integers(0, 2, n)
    answers = []
    for error in errors:
        positive = 1 / (1 + np.exp(-(0.8 * (2 * label - 1) + error)))
        probability = np.stack([1 - positive, positive], axis=1)
        answers.append(Scores(label=label, probability=probability, value=np.empty(0)))
    return _evidence(("a", "b"), label, np.empty(0), answers)


def _lasting(rng, n):
    noise = rng.normal(size=n + 200)
    for place in range(1, n + 200):
        noise[place] = 0.9 * noise[place - 1] + 0.436 * noise[place]
    return noise[200:]


def _evidence(classes, label, value, answers):
    return Evidence(
        classes=classes,
        truth_label=label,
        truth_value=value,
        candidate=answers[0],
        champion=answers[1],
        champion_unseen=np.ones(len(answers[0].probability), dtype=bool),
        ordered=True,
    )
