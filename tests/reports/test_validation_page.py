from setpoint.facts.report import Check, ValidationReport
from setpoint.facts.verdict import Verdict
from setpoint.reports.validation_page import validation_page


def check(name, ruling, reason="", *, acceptable=False):
    verdict = Verdict(subject=name, verdict=ruling, reason=reason)
    sample = ({"row": 4, "value": "<b>"},)
    return Check(
        name=name,
        column="charges",
        verdict=verdict,
        failing=3,
        sample=sample,
        acceptable=acceptable,
    )


def page(*checks, accepted=()):
    return validation_page(
        ValidationReport(source="new.csv", rows=1234, checks=checks, accepted=accepted)
    )


def test_failing_checks_stand_apart_with_reason_and_escaped_sample():
    text = page(check("range", "fail", "3 values above 120"), check("type", "pass"))
    assert "1 check fails" in text
    assert "3 values above 120" in text
    assert "row 4: &lt;b&gt;" in text
    assert text.index("range") < text.index("<summary>1 check</summary>")


def test_an_accepted_check_is_marked_and_stops_nothing():
    text = page(check("nulls", "fail", acceptable=True), accepted=("nulls",))
    assert "No check fails; 1 failing check accepted." in text
    assert "fail, accepted" in text


def test_only_what_may_be_accepted_is_offered():
    text = page(check("nulls", "fail", acceptable=True), check("type", "error"))
    assert "--accept nulls" in text
    assert "--accept type" not in text


def test_a_check_that_could_not_be_judged_is_said():
    assert "1 check could not be judged" in page(check("label_share", "inconclusive"))


def test_what_passed_is_shown_with_what_was_seen_and_the_limit_and_no_empty_columns():
    seen = Verdict(subject="charges nulls at most 5%", verdict="pass", observed=0.0125, limit=0.05)
    ranged = Verdict(subject="charges range 0 to 4", verdict="pass", observed=0.0, limit=(0.0, 4.0))
    text = page(
        Check(name="nulls", column="charges", verdict=seen),
        Check(name="range", column="charges", verdict=ranged),
    )
    for words in ("charges nulls at most 5%", "1.25 %", "5 %", "0 failing", "0 to 4"):
        assert words in text
    assert "For example" not in text
    assert "<th>Why</th>" not in text


def test_that_all_rows_are_kept_out_is_said_with_their_number():
    assert "the whole table, 1,234 rows, would be kept out" in page(check("range", "fail"))


def test_the_page_says_against_what_and_when():
    report = ValidationReport(source="new.csv", rows=1, checks=(check("type", "pass"),))
    text = validation_page(report, contract="contract churn, digest abc <b>", at=1_672_534_800.0)
    assert "against contract churn, digest abc &lt;b&gt;" in text
    assert "checked 2023-01-01 01:00 UTC" in text
