import json

from setpoint.facts.decision import Decision
from setpoint.facts.replay import Batch, GateCost, Replay

KEYS = {
    "rows", "metric", "direction", "static", "scheduled", "no_change", "loop", "fits", "promotions", "rollbacks",
    "refused", "data_blocked", "seconds", "fit_predict_seconds", "decisions",
}  # fmt: skip


def replay(**other):
    fields = {
        "rows": 10, "metric": "mae", "direction": "lower", "axis": "rows", "static": 2.0, "scheduled": 1.0,
        "no_change": float("nan"), "loop": 1.5, "fits": 1, "promotions": 1, "rollbacks": 0, "refused": 0,
        "data_blocked": 0, "seconds": 1.0, "fit_predict_seconds": 0.5,
    }  # fmt: skip
    return Replay(**{**fields, **other})


def test_json_has_the_promised_keys_and_no_number_that_json_cannot_say():
    decision = Decision(id="a", at=1.0, action="promote", reason="r", numbers={"x": float("inf")})
    plain = replay(decisions=(decision,)).to_json()
    assert set(plain) >= KEYS
    assert plain["no_change"] is None
    text = json.dumps(plain, allow_nan=False)
    assert json.loads(text)["decisions"][0]["numbers"] == {"x": None}


def test_better_follows_the_direction_of_the_metric():
    assert replay().better("scheduled", "loop") == 0.5
    assert replay(direction="higher").better("scheduled", "loop") == -0.5
    assert replay().better("loop", "no_change") is None


def test_a_refusal_is_worth_what_the_candidate_would_have_lost():
    assert GateCost(attempt="a", at=0.0, action="refuse", gain=-0.2).worth == 0.2
    assert GateCost(attempt="a", at=0.0, action="promote", gain=-0.2).worth == -0.2
    assert GateCost(attempt="a", at=0.0, action="refuse", gain=None).worth is None


def test_a_notebook_shows_a_plain_table_with_escaped_text():
    batches = (Batch(start=0, end=10, n=10),)
    html = replay(metric="<b>", batches=batches, notes=("<i> is not judged",))._repr_html_()
    assert "Note: &lt;i&gt; is not judged" in html
    assert "&lt;b&gt;" in html
    assert "unknown" in html
    assert "row 0 to row 10" in html
