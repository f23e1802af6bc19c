from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from setpoint.facts.evidence import Evidence, Scores
from setpoint.gates.fairness import _VALUES, FROM_COUNTS, group_counts, group_rates
from setpoint.gates.judge import judge

COMPAS = Path(__file__).parents[3] / "shared/data/compas/compas-scores-two-years.csv"


def one(gate, evidence):
    return judge([gate], evidence, k=1, seed=0)[0]


def genders(n):
    return {"gender": np.array(["f", "m"], dtype=object)[np.arange(n) % 2]}


@pytest.fixture(scope="module")
def compas():
    if not COMPAS.exists():
        pytest.skip(f"{COMPAS} is not here")
    table = pd.read_csv(COMPAS)
    n = len(table)
    risky = (table["score_text"] != "Low").to_numpy().astype(np.int64)
    return Evidence(
        classes=("stays away", "comes back"),
        truth_label=table["two_year_recid"].to_numpy().astype(np.int64),
        truth_value=np.empty(0),
        candidate=Scores(label=risky, probability=np.empty((n, 0)), value=np.empty(0)),
        champion=None,
        champion_unseen=np.ones(n, dtype=bool),
        ordered=False,
        columns={"race": table["race"].to_numpy(dtype=object)},
    )


def test_published_error_rates_of_compas_are_reproduced(gate, compas) -> None:
    found = one(gate(fairness="disparate_impact", attribute="race", min=0.8), compas)
    rates = found.evidence["groups"]
    assert found.verdict == "fail"
    for race, positive, negative in (
        ("African-American", 44.85, 27.99),
        ("Caucasian", 23.45, 47.72),
    ):
        assert round(100 * rates[race]["false_positive_rate"], 2) == positive
        assert round(100 * rates[race]["false_negative_rate"], 2) == negative
    assert rates["African-American"]["n"] == 3696


def test_small_groups_of_compas_are_named_and_never_taken_for_fair(gate, compas) -> None:
    found = one(gate(fairness="disparate_impact", attribute="race", min=0.0), compas)
    assert found.verdict == "inconclusive"
    assert {"race=Asian has only 9 rows of class 'comes back'"} <= set(found.evidence["too_small"])


@pytest.mark.parametrize("measure", list(_VALUES))
def test_intervals_are_of_the_same_number_as_fairlearns(measure) -> None:
    rng = np.random.default_rng(1)
    truth, answered, code = (rng.integers(0, k, 500) for k in (2, 2, 3))
    sums = group_counts(truth, answered, code, 3).sum(axis=0)
    expected = _VALUES[measure](truth, answered, sensitive_features=code)
    assert float(FROM_COUNTS[measure](sums)) == pytest.approx(expected)


def test_equal_treatment_passes_and_unequal_fails(gate, binary) -> None:
    rule = gate(fairness="disparate_impact", attribute="gender", between=[0.8, 1.25])
    evidence = binary(2000, columns=genders(2000))
    assert one(rule, evidence).verdict == "pass"
    evidence.candidate.label[::4] = 0  # half of the women are never answered positively
    found = one(rule, evidence)
    assert found.verdict == "fail"
    assert found.interval[0] < found.observed < found.interval[1]


def test_confidence_judges_the_interval(gate, binary) -> None:
    evidence = binary(200, columns=genders(200))
    found = one(
        gate(
            fairness="equal_opportunity_difference", attribute="gender", max=0.1, confidence="95%"
        ),
        evidence,
    )
    assert found.verdict == "inconclusive"


def test_one_group_is_nothing_to_compare(gate, binary) -> None:
    columns = {"gender": np.full(1000, "f", dtype=object)}
    found = one(
        gate(fairness="disparate_impact", attribute="gender", min=0.8), binary(columns=columns)
    )
    assert found.verdict == "inconclusive"


def test_regressor_has_no_disparate_impact(gate, regression) -> None:
    found = one(
        gate(fairness="disparate_impact", attribute="gender", min=0.8),
        regression(columns=genders(1000)),
    )
    assert found.verdict == "error"


def test_rates_of_groups_are_those_of_their_rows() -> None:
    rates = group_rates([1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1], ["a", "b"])
    assert rates["a"] == {
        "n": 3.0,
        "selected": pytest.approx(2 / 3),
        "false_positive_rate": 1.0,
        "false_negative_rate": 0.5,
    }


def test_model_that_never_answers_positively_treats_nobody_equally(gate, binary) -> None:
    evidence = binary(columns=genders(1000))
    evidence.candidate.label[:] = 0
    found = one(gate(fairness="disparate_impact", attribute="gender", min=0.8), evidence)
    assert (found.verdict, found.observed) == ("error", None)
