import pytest

from setpoint.contract.log_rule import LogRule
from setpoint.contract.scalar import ScalarError
from setpoint.facts.log_rule import change_of


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        ("keep", LogRule("keep")),
        ("drop", LogRule("drop")),
        (" hash ", LogRule("hash")),
        ("first 3", LogRule("first", 3.0)),
        ("round  1000", LogRule("round", 1000.0)),
        ("round 0.000001", LogRule("round", 1e-6)),
    ],
)
def test_a_rule_reads_and_says_back(raw, rule):
    assert LogRule.read(raw) == rule
    assert LogRule.read(str(rule)) == rule


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "Keep",
        "first",
        "first 0",
        "first 2.5",
        "round",
        "round 0",
        "round -1",
        "round 1e3",
        3,
        None,
        True,
    ],
)
def test_what_is_no_rule_is_refused(raw):
    with pytest.raises(ScalarError):
        LogRule.read(raw)


@pytest.mark.parametrize("raw", ["keep", "hash", "first 12", "round 10", "round 0.000000001"])
def test_what_a_contract_says_is_what_gateways_understand(raw):
    change_of(str(LogRule.read(raw)), "a", b"s")
