"""Conditions are read as they are written, or refused; never guessed, never evaluated."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.adapters.log.row_filter import Condition, read_filter
from setpoint.errors import UsageError

TABLE = pa.table(
    {
        "id": ["a", "b", "c", "d"],
        "at": [0.0, 3600.0, 7200.0, 10_800.0],
        "version": [1, 1, 2, 2],
        "prediction": ["Yes", "No", "Yes", None],
        "outcome": ["Yes", None, None, None],
        "feature.tenure": [1.0, 60.0, None, 61.5],
        "feature.plan": ["month to month", "it's", "3", None],
        "feature.paperless": [True, False, None, True],
        "feature.version": ["x", "y", "x", "y"],
    }
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", "abcd"),
        ("tenure > 60", "d"),
        ("tenure>=60 and version=1", "b"),
        ("TENURE = 1", None),
        ("tenure <= 60 AND prediction != Yes", "b"),
        ("tenure <> 60", "ad"),
        ("plan = 'month to month'", "a"),
        ("plan = 'it''s'", "b"),
        ("plan = 3", "c"),
        ("outcome is null", "bcd"),
        ("outcome IS NOT NULL and prediction = Yes", "a"),
        ("tenure is null", "c"),
        ("paperless = true", "ad"),
        ("paperless = 0", "b"),
        ("feature.version = x", "ac"),
        ('"version" = 2', "cd"),
        ("id in (a, 'c', z)", "ac"),
        ("version in (2)", "cd"),
        ("at >= 1970-01-01T01:00 and at < 1970-01-01T03:00:00+00:00", "bc"),
        ("at > 7200", "d"),
        ("tenure > -1.5e1", "abd"),
    ],
)
def test_rows_that_meet_all_conditions(text, ids):
    fits = read_filter(text)
    if ids is None:
        with pytest.raises(UsageError, match="did you mean tenure"):
            fits.require(("id", "at", "version"), ("tenure", "plan"))
    else:
        assert "".join(fits(TABLE)["id"].to_pylist()) == ids


def test_an_hour_without_the_column_has_no_value_of_it():
    assert read_filter("income > 5")(TABLE).num_rows == 0
    assert read_filter("income is not null")(TABLE).num_rows == 0
    assert read_filter("income is null")(TABLE).num_rows == 4


@pytest.mark.parametrize(
    "text",
    [
        "tenure",
        "tenure >",
        "> 5",
        "tenure > 5 or version = 1",
        "tenure > 5, version = 1",
        "tenure > 5 version = 1",
        "tenure > 5 and",
        "plan = 'open",
        "plan in ()x",
        "version in (1 2)",
        "tenure between 1 and 2",
        "lower(plan) = 'x'",
        "1; drop table log",
        "tenure is nullable",
    ],
)
def test_what_is_not_of_the_grammar_is_refused_with_it(text):
    with pytest.raises(UsageError, match=r"cannot read .*COLUMN OP VALUE"):
        read_filter(text)


@pytest.mark.parametrize(
    "text", ["tenure > long", "version = 1.5", "paperless = maybe", "at > noon"]
)
def test_a_value_of_another_kind_is_refused(text):
    with pytest.raises(UsageError, match="is held against"):
        read_filter(text)(TABLE)


@given(
    st.lists(
        st.tuples(
            st.text("abc._-é ", min_size=1, max_size=8),
            st.sampled_from(["=", "!=", "<", "<=", ">", ">="]),
            st.text(max_size=12),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_quoted_names_and_values_are_read_back(conditions):
    written = " and ".join(
        "\"{}\" {} '{}'".format(name, op, value.replace("'", "''"))
        for name, op, value in conditions
    )
    assert read_filter(written).conditions == tuple(
        Condition(name, op, (value,)) for name, op, value in conditions
    )
