from setpoint.facts.decision import Decision
from setpoint.facts.training import TrainingResult
from setpoint.facts.verdict import Verdict
from setpoint.facts.version import Lineage, ModelVersion, Seen
from setpoint.reports.run_page import judged, run_page

PASS = Verdict(subject="roc_auc min 0.8", verdict="pass", observed=0.83, limit=0.8, n=1000)
OPEN = Verdict(subject="f1 min 0.6 in each plan", verdict="inconclusive", reason="under 30 rows")
RESULT = TrainingResult(
    key="k", metrics={"roc_auc": 0.83}, artifact="a" * 64, behaviour="b" * 64, runtime="native",
    runtime_reason="ONNX differs", fit_rows=5000, test_rows=1000, importance={"tenure": 0.2, "noise": -0.001},
)  # fmt: skip
VERSION = ModelVersion(
    version=3, attempt="a", artifact="a" * 64, behaviour="b" * 64, runtime="native",
    lineage=Lineage(snapshot="s" * 64, contract="c" * 64, commit="d" * 40, dirty=True),
    seen=Seen(by="time", table="t"),
)  # fmt: skip


def decision(action, *verdicts):
    return Decision(id=action, at=0.0, action=action, reason=f"why {action}", verdicts=verdicts)


def test_a_candidate_that_could_not_be_judged_is_not_called_passed():
    page = run_page(
        "Run", [decision("judge", PASS, OPEN), decision("refuse", PASS, OPEN)], result=RESULT
    )
    assert "The candidate is undecided: 1 of 2 gates did not pass." in page
    assert "? inconclusive" in page


def test_a_version_is_shown_with_where_it_came_from():
    page = run_page(
        "Run", [decision("judge", PASS), decision("register")], result=RESULT, version=VERSION
    )
    assert "The candidate passed 1 gate." in page
    assert "It is version 3." in page
    assert "dddddddddddddddd with uncommitted changes" in page
    assert "native (ONNX differs)" in page
    assert "width:-" not in page


def test_a_pass_that_did_nothing_says_so():
    assert "Nothing was due" in run_page("Run", [])


def test_the_last_judgement_counts():
    assert judged([decision("judge", OPEN), decision("judge", PASS)]) == (PASS,)
    assert judged([decision("alert", OPEN)]) == ()
