"""What the log keeps of a value: never more than the rule says, and the same wherever the value appears."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.facts.log_rule import Withholding, change_of, withholding

SECRET = b"s" * 32
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=40)
)


def test_kept_columns_cost_nothing():
    assert withholding(["a", "b"], {}, "id", lambda: SECRET) is None
    assert withholding(["a", "b"], {"a": "keep", "elsewhere": "drop"}, "id", lambda: SECRET) is None
    assert change_of("keep", "a", SECRET) is None


def test_a_row_loses_what_is_dropped_and_keeps_its_order():
    found = Withholding(["a", "b", "c", "d"], {"b": "drop", "c": "first 2"}, "", lambda: SECRET)
    assert found.columns == ("a", "c", "d")
    assert found.values((1.5, "secret", "monthly", None)) == (1.5, "mo", None)
    assert found.rules == {"b": "drop", "c": "first 2"}


@given(VALUES)
def test_missing_stays_missing_and_nothing_else_becomes_it(value):
    for rule in ("hash", "first 3"):
        assert (change_of(rule, "a", SECRET)(value) is None) == (value is None)


@given(VALUES, VALUES)
def test_a_hash_is_the_same_for_the_same_value_only(one, other):
    hashed = change_of("hash", "a", SECRET)
    texts = [
        str(int(v)) if isinstance(v, float) and v.is_integer() else str(v) for v in (one, other)
    ]
    if one is not None and other is not None and texts[0].lower() != texts[1].lower():
        assert hashed(one) != hashed(other)
    assert hashed(one) == hashed(one)


def test_a_hash_depends_on_secret_and_column_and_shows_nothing_of_the_value():
    value = change_of("hash", "a", SECRET)("C-1042")
    assert len(value) == 32
    assert "1042" not in value
    assert value != change_of("hash", "b", SECRET)("C-1042")
    assert value != change_of("hash", "a", b"other")("C-1042")
    assert change_of("hash", "a", SECRET)(3) == change_of("hash", "a", SECRET)(3.0)


def test_a_hash_can_be_made_by_others_from_the_same_key():
    # echo -n 'a<NUL>C-1042' | openssl dgst -sha256 -hmac ssss…
    assert change_of("hash", "a", SECRET)("C-1042") == "4ef1726744d275d855bfedef1e50a9fd"


@pytest.mark.parametrize(
    ("rule", "value", "kept"),
    [
        ("round 10", 47, 50.0),
        ("round 10", -47.2, -50.0),
        ("round 0.1", 0.3000001, 0.3),
        ("round 1000", 12, 0.0),
        ("round 10", "47", None),
        ("round 10", True, None),
        ("round 10", None, None),
        ("round 10", float("inf"), None),
        ("round 10", float("nan"), None),
        ("round 10", 10**400, None),
        ("round 0.001", 1e308, None),
        ("first 2", "monthly", "mo"),
        ("first 3", 12345.0, "123"),
        ("first 3", True, "tru"),
    ],
)
def test_shortened_values(rule, value, kept):
    assert change_of(rule, "a", SECRET)(value) == kept


@pytest.mark.parametrize(
    "rule", ["", "kept", "first", "first -1", "round 0", "round x", "round inf", "drop"]
)
def test_what_is_no_rule_of_a_value_is_refused(rule):
    with pytest.raises(ValueError, match="is no rule for the log"):
        change_of(rule, "a", SECRET)


def test_the_key_follows_its_own_rule():
    assert Withholding([], {"id": "drop"}, "id", lambda: SECRET).key("C-1") == ""
    assert Withholding([], {"id": "first 1"}, "id", lambda: SECRET).key("C-1") == "C"
    hashed = Withholding(["id"], {"id": "hash"}, "id", lambda: SECRET)
    assert hashed.key("C-1") == hashed.values(("C-1",))[0]
    assert hashed.key("") == ""
    assert Withholding(["a"], {"a": "drop"}, "id", lambda: SECRET).key("C-1") == "C-1"


def test_a_failure_is_kept_without_the_words_that_may_quote_a_row():
    found = Withholding(["a"], {"a": "drop"}, "", lambda: SECRET)
    assert found.error("ValueError: could not convert string to float: 'Jane Doe'") == "ValueError"
    assert found.error("") == ""
