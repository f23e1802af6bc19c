"""Plain data must come back from JSON as it went in, and refuse what JSON cannot say."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from setpoint.digest import canonical_json
from setpoint.facts.verdict import Verdict
from setpoint.ledger.plain import from_plain, to_plain

ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=8)  # with lone surrogates
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(DATA)
def test_any_data_survives_canonical_json(value):
    try:
        plain = to_plain(value)
    except ValueError:  # an escaped surrogate met the same text
        reject()
    assert json.loads(canonical_json(plain).encode().decode()) == plain
    assert to_plain(plain) == plain


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1.5, -0.0])
def test_numbers_that_json_cannot_say_come_back(value):
    back = from_plain(json.loads(canonical_json(to_plain({"a": [value]}))))["a"][0]
    assert math.isnan(back) if math.isnan(value) else back == value
    assert math.copysign(1, back) == math.copysign(1, value) or math.isnan(value)


def test_not_a_number_is_never_null():
    assert to_plain(math.nan) == {"$float": "nan"}


def test_records_and_tuples_become_plain():
    verdict = Verdict(subject="f1", verdict="error", observed=math.nan, interval=(0.1, math.inf))
    plain = to_plain({"verdicts": (verdict,)})
    assert plain["verdicts"][0]["observed"] == {"$float": "nan"}
    assert plain["verdicts"][0]["interval"] == [0.1, {"$float": "inf"}]


def test_numpy_numbers_print_as_numbers():
    assert canonical_json(to_plain([np.float64(0.1), np.int64(3)])) == "[0.1,3]"


@pytest.mark.parametrize("value", [{1.5: 1}, {1}, object(), {True: 1}, b"x"])
def test_what_is_not_plain_is_refused(value):
    with pytest.raises(TypeError):
        to_plain(value)


def test_keys_that_read_alike_are_refused():
    with pytest.raises(ValueError, match="read alike"):
        to_plain({1: "a", "1": "b"})
