import numpy as np
import pytest
from sklearn import metrics as sk

from setpoint.gates.judge import judge


def one(gate, evidence):
    return judge([gate], evidence, k=1, seed=0)[0]


def test_limit_judges_the_observed_value_and_shows_the_interval(gate, binary) -> None:
    found = one(gate(metric="roc_auc", min=0.8), binary())
    assert found.verdict == "pass"
    assert found.interval is not None
    assert found.interval[0] < found.observed < found.interval[1]
    assert (found.limit, found.n) == (0.8, 1000)


def test_value_just_within_passes_and_with_confidence_is_inconclusive(gate, binary) -> None:
    evidence = binary()
    limit = one(gate(metric="accuracy", min=0.0), evidence).observed - 0.001
    assert one(gate(metric="accuracy", min=limit), evidence).verdict == "pass"
    assert one(gate(metric="accuracy", min=limit + 0.002), evidence).verdict == "fail"
    sure = gate(metric="accuracy", min=limit, confidence="95%")
    assert one(sure, evidence).verdict == "inconclusive"
    assert one(gate(metric="accuracy", min=0.5, confidence="95%"), evidence).verdict == "pass"
    assert one(gate(metric="accuracy", min=0.99, confidence="95%"), evidence).verdict == "fail"


def test_limits_have_two_sides(gate, binary) -> None:
    evidence = binary()
    assert one(gate(metric="log_loss", max=0.9), evidence).verdict == "pass"
    assert one(gate(metric="log_loss", max=0.1), evidence).verdict == "fail"
    found = one(gate(metric="accuracy", between=[0.5, 0.6]), evidence)
    assert (found.verdict, found.limit) == ("fail", (0.5, 0.6))


@pytest.mark.parametrize("n", [29, 60])
def test_too_few_rows_are_inconclusive_however_good_the_value(gate, binary, n) -> None:
    found = one(gate(metric="accuracy", min=0.1), binary(n, share=0.3))
    assert found.verdict == "inconclusive"
    assert "at least 30" in found.reason


def test_perfect_rows_do_not_make_a_perfect_model(gate, binary) -> None:
    found = one(gate(metric="accuracy", min=0.99, confidence="95%"), binary(100, skill=50.0))
    assert found.observed == 1.0
    assert found.interval[0] < 0.99
    assert found.verdict == "inconclusive"


def test_metric_that_the_rows_do_not_define_is_an_error_not_a_zero(gate, binary) -> None:
    evidence = binary(skill=-50.0, share=0.1)
    never = evidence.candidate
    never.label[:] = 0
    found = one(gate(metric="precision", min=0.0), evidence)
    assert (found.verdict, found.observed) == ("error", None)


def test_metric_of_another_task_is_an_error_that_says_so(gate, binary, regression) -> None:
    assert "binary" in one(gate(metric="mae", max=1.0), binary()).reason
    assert "regression" in one(gate(metric="f1", min=0.5), regression()).reason


def test_time_ordered_rows_that_resemble_their_neighbours_are_worth_less(gate, binary) -> None:
    plain = binary(2000)
    order = np.argsort(plain.candidate.label != plain.truth_label, kind="stable")
    order = np.concatenate([order[place::20] for place in range(20)])
    clumped = binary(2000, ordered=True)
    for array in (clumped.truth_label, clumped.candidate.label, clumped.candidate.probability):
        array[:] = array[order]
    gate_ = gate(metric="accuracy", min=0.5)
    alone, together = one(gate_, plain), one(gate_, clumped)
    assert together.observed == alone.observed
    assert together.evidence["n_effective"] < 0.5 * alone.evidence["n_effective"]


def test_rows_of_one_customer_count_together(gate, binary) -> None:
    plain = binary(2000)
    repeated = binary(2000, cluster=np.arange(2000) // 100)
    for array in (repeated.truth_label, repeated.candidate.label, repeated.candidate.probability):
        array[:] = np.repeat(array[::100], 100, axis=0)
    gate_ = gate(metric="accuracy", min=0.5)
    assert one(gate_, repeated).evidence["n_effective"] < 40
    assert one(gate_, plain).evidence["n_effective"] > 1500


@pytest.mark.parametrize(
    ("written", "reference"),
    [
        ({"metric": "f1"}, sk.f1_score),
        (
            {"metric": "f1", "average": "weighted"},
            lambda y, p: sk.f1_score(y, p, average="weighted"),
        ),
        ({"metric": "f1", "average": "micro"}, lambda y, p: sk.f1_score(y, p, average="micro")),
        (
            {"metric": "precision", "average": "weighted"},
            lambda y, p: sk.precision_score(y, p, average="weighted"),
        ),
        (
            {"metric": "recall", "average": "macro"},
            lambda y, p: sk.recall_score(y, p, average="macro"),
        ),
        ({"metric": "mcc"}, sk.matthews_corrcoef),
    ],
)
def test_values_equal_scikit_learns(gate, binary, written, reference) -> None:
    evidence = binary(skill=0.5)
    found = one(gate(**written, min=0.0), evidence)
    assert found.observed == pytest.approx(
        reference(evidence.truth_label, evidence.candidate.label), abs=1e-12
    )


def test_median_error_equals_scikit_learns(gate, regression) -> None:
    evidence = regression()
    found = one(gate(metric="median_absolute_error", max=5.0), evidence)
    expected = sk.median_absolute_error(evidence.truth_value, evidence.candidate.value)
    assert found.observed == pytest.approx(expected)


def test_threshold_of_the_gate_cuts_the_probabilities_anew(gate, binary) -> None:
    evidence = binary()
    at = [one(gate(metric="recall", min=0.0, threshold=t), evidence).observed for t in (0.2, 0.8)]
    assert at[0] > at[1]


def test_missing_answers_are_an_error_not_a_value(gate, binary, regression) -> None:
    evidence = binary()
    evidence.candidate.probability[3] = np.nan
    for metric in ("roc_auc", "log_loss", "average_precision"):
        limit = {"max": 5.0} if metric == "log_loss" else {"min": 0.1}
        found = one(gate(metric=metric, **limit), evidence)
        assert found.verdict == "error"
        assert "missing or infinite in 2 of 2000" in found.reason
    numbers = regression()
    numbers.candidate.value[0] = np.inf
    assert one(gate(metric="median_absolute_error", max=5.0), numbers).verdict == "error"
