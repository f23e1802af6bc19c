"""Columns get the verdict of requests: the same rows are refused, in the same words, and the others read alike."""

import math

import hypothesis.strategies as st
import msgspec
import pyarrow as pa
import pytest
from hypothesis import given, settings

from setpoint.batch.checking import Checks
from setpoint.contract.data import Format
from setpoint.errors import DataError
from setpoint.gateway.rows.column_check import ColumnRule, RuleBrokenError, compile_check
from setpoint.gateway.rows.row_decoder import RowDecoder
from setpoint.gateway.rows.schema import RequestDocument, Schema

F32 = 3.4028234663852886e38


def schema_of(*rules):
    document = RequestDocument(
        model="m", task="regression", classes=(), contract="c", columns=tuple(rules)
    )
    return Schema(document)


def checked(rule, values, *, kind=None, form=None):
    table = pa.table({rule.name: pa.array(values, kind)})
    return Checks(schema_of(rule), form or Format()).check(table)


def asked(rule, value):
    """Return what a request with this value is told: what it reads as, or why it is refused."""
    try:
        (read,) = compile_check(rule)([value])
    except RuleBrokenError as broken:
        return None, f"{rule.name}: {broken.reason}"
    return read, None


bounds = st.none() | st.integers(-9, 9) | st.floats(-9, 9)
numbers = (
    st.none()
    | st.integers(-12, 12).map(float)
    | st.floats(-12, 12)
    | st.sampled_from([F32, -F32, 3.5e38, 1e308, 0.0, -0.0, 5e-324])
)
wholes = st.none() | st.integers(-12, 12) | st.sampled_from([2**63 - 1, -(2**63), 2**53 + 1])
words = st.none() | st.sampled_from(["a", "b", "c", "A", "a\0", "ä", "x y", "1", "true"])
allowed = st.none() | st.lists(
    st.sampled_from(["a", "b", "ä", 1.0, True]), min_size=1, max_size=3, unique=True
).map(tuple)


@st.composite
def columns(draw):
    kind = draw(st.sampled_from(["float", "int", "bool", "category", "text"]))
    rule = ColumnRule(
        name="x",
        kind=kind,
        min=draw(bounds) if kind in ("int", "float") else None,
        max=draw(bounds) if kind in ("int", "float") else None,
        values=draw(allowed) if kind == "category" else None,
        nullable=draw(st.booleans()),
        unseen=draw(st.sampled_from(["accept", "refuse"])),
    )
    source = {
        "float": [(numbers, pa.float64()), (wholes.map(_small), pa.int64())],
        "int": [(wholes, pa.int64()), (numbers, pa.float64())],
        "bool": [(st.none() | st.booleans(), pa.bool_()), (numbers, pa.float64())],
        "category": [(words, pa.string()), (wholes, pa.int64()), (st.booleans(), pa.bool_())],
        "text": [(words, pa.string())],
    }[kind]
    values, kind = draw(st.sampled_from(source))
    return rule, draw(st.lists(values, min_size=1, max_size=8)), kind


def _small(value):
    return None if value is None else value % 1000


@settings(max_examples=400, deadline=None)
@given(columns())
def test_a_typed_cell_gets_the_verdict_of_a_request(column):
    rule, values, kind = column
    found = checked(rule, values, kind=kind)
    for row, value in enumerate(values):
        read, reason = asked(rule, value)
        if rule.kind == "int" and isinstance(value, float) and abs(value) >= 2**63:
            assert row in found.reasons  # a request may say so much, no column of whole numbers can
            continue
        assert found.reasons.get(row) == reason
        if reason is None:
            assert found.columns[0][row].as_py() == read


@settings(max_examples=300, deadline=None)
@given(st.lists(columns(), min_size=1, max_size=3))
def test_rows_that_are_decoded_at_once_are_those_that_are_not_refused(several):
    rules = [
        msgspec.structs.replace(rule, name=f"c{place}")
        for place, (rule, _, _) in enumerate(several)
    ]
    schema = schema_of(*rules)
    rows = list(zip(*(values for _, values, _ in several), strict=False))
    table = pa.table(
        {
            rule.name: pa.array([row[place] for row in rows], kind)
            for place, (rule, (_, _, kind)) in enumerate(zip(rules, several, strict=True))
        }
    )
    found = Checks(schema, Format()).check(table)
    decoder = RowDecoder(schema)
    for number, row in enumerate(rows):
        decoded = decoder.listed(msgspec.json.encode(row))
        if decoded is not None:
            assert number not in found.reasons
            assert tuple(column[number].as_py() for column in found.columns) == decoded


CELLS = "1| 2 |3.0|2.5|-7|1e3|+4||nan|NA|?|old|1,5|true|No|a|b|a |weekly|1e400|9007199254740993"
cells = st.sampled_from(CELLS.split("|"))


@settings(max_examples=300, deadline=None)
@given(columns(), st.lists(cells, min_size=1, max_size=8))
def test_a_cell_of_text_reads_the_same_in_any_company(column, texts):
    rule, _, _ = column
    form = Format(nulls=("NA", "?"))
    whole = checked(rule, texts, form=form)
    for row, text in enumerate(texts):
        alone = checked(rule, [text], form=form)
        assert whole.reasons.get(row) == alone.reasons.get(0)
        assert whole.columns[0][row] == alone.columns[0][0]
        read = alone.columns[0][0].as_py()
        if 0 not in alone.reasons:  # what it reads as is what a client may send
            assert asked(rule, read) == (read, None)


@settings(max_examples=200, deadline=None)
@given(st.lists(numbers | st.sampled_from([1e10, 1e17, 123456789.0]), min_size=1, max_size=6))
def test_a_number_that_names_a_category_is_named_the_same_in_any_company(values):
    rule = ColumnRule(name="x", kind="category")
    whole = checked(rule, values, kind=pa.float64())
    for row, value in enumerate(values):
        alone = checked(rule, [value], kind=pa.float64())
        assert whole.columns[0][row] == alone.columns[0][0]


def test_every_breach_of_a_row_is_told():
    rules = (ColumnRule(name="x", kind="int", max=5.0), ColumnRule(name="y", kind="float"))
    table = pa.table({"x": ["1", "9", "2"], "y": ["1", "much", "2.5"]})
    found = Checks(schema_of(*rules), Format()).check(table)
    assert found.reasons == {
        1: "x: 9 is above the maximum 5; y: got text 'much', needs a number",
    }


def test_an_infinity_and_what_is_no_scalar_are_refused():
    rule = ColumnRule(name="x", kind="float")
    assert set(checked(rule, [math.inf, 1.0, math.nan]).reasons) == {0}
    assert set(checked(rule, [[1.0], None]).reasons) == {0}


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (["Tenure", "charges"], r"lacks the inputs tenure \(did you mean it by 'Tenure'\?\)"),
        (["x"], "none of the inputs tenure, charges; it has x"),
    ],
)
def test_a_column_that_is_not_there_does_not_read_as_missing_values(names, hint):
    rules = (ColumnRule(name="tenure", kind="int"), ColumnRule(name="charges", kind="float"))
    table = pa.table({name: [1] for name in names})
    with pytest.raises(DataError, match=hint):
        Checks(schema_of(*rules), Format()).check(table)


def test_columns_that_nobody_asked_for_are_passed_over():
    rule = ColumnRule(name="x", kind="float")
    table = pa.table({"other": [[1], [2]], "x": [1.0, 2.0]})
    assert Checks(schema_of(rule), Format()).check(table).reasons == {}
