"""Tests of decoders made from a schema: what they take is what the checks would have made of it, or nothing."""

import json
import math

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from setpoint.gateway.rows.column_check import FLOAT32_MAX, ColumnRule
from setpoint.gateway.rows.row_decoder import RowDecoder
from setpoint.gateway.rows.rows import Lists, Records
from setpoint.gateway.rows.schema import RequestDocument, Schema
from setpoint.gateway.wire.refusal import RefusedError

TEXTS = ["a", "b", "3", "true", "é", "x y"]


def schema_of(*rules, key="k"):
    return Schema(
        RequestDocument(
            model="m", task="regression", contract="c", columns=tuple(rules), key=key
        )
    )  # fmt: skip


@st.composite
def rules(draw, kinds=("int", "float", "bool", "category", "text")):
    """Rules of one to five columns, of every kind."""
    made = []
    for place in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from(kinds))
        low, high = sorted((draw(bounds), draw(bounds)), key=lambda bound: bound or 0)
        number = kind in ("int", "float")
        listed = kind == "category" and draw(st.booleans())
        made.append(
            ColumnRule(
                name=f"column {place}",
                kind=kind,
                min=low if number else None,
                max=high if number else None,
                values=tuple(draw(st.lists(st.sampled_from([*TEXTS, 3.0, True]), min_size=1))) if listed else None,
                nullable=draw(st.booleans()),
                unseen=draw(st.sampled_from(["accept", "refuse"])),
            )
        )  # fmt: skip
    return made


bounds = st.one_of(
    st.none(), st.integers(-5, 5).map(float), st.sampled_from([-1e300, 1e300, 1e18, -0.5, 2.5])
)
numbers = st.one_of(
    st.none(),
    st.integers(-6, 6),
    st.integers(-6, 6).map(float),
    st.sampled_from([2.0**53, 2**53 + 1, 2**63, 2.0**63, -(2**63), 10**40, 1e18, 1e39, 5e-324]),
    st.floats(-6, 6),
    st.booleans(),
)
values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-6, 6),
    st.sampled_from([2**53 + 1, 2**63, -(2**63), 2**64, 10**40, 10**400]),
    st.floats(-6, 6),
    st.sampled_from([1e39, -1e39, FLOAT32_MAX, 5e-324]),
    st.sampled_from([*TEXTS, "", "a\0b", "\ud800", "z"]),
    st.just([1]),
    st.just({}),
)


def slowly(rows, schema):
    try:
        return list(zip(*schema.check(rows.columns(schema)), strict=True))
    except RefusedError:
        return None


def same(mine, theirs):
    """Equal, with equal types: an int of an int column stays one."""
    return len(mine) == len(theirs) and all(
        type(a) is type(b) and (a == b or (isinstance(a, float) and math.isnan(a)))
        for a, b in zip(mine, theirs, strict=True)
    )


@settings(max_examples=500, deadline=None, derandomize=True)
@given(rules=rules(), data=st.data())
@example(rules=[ColumnRule(name="column 0", kind="int", min=1e300, max=1e300)], data=None)
@example(rules=[ColumnRule(name="column 0", kind="int", max=-1e300)], data=None)
def test_what_is_taken_is_what_the_checks_make_of_it(rules, data):
    schema = schema_of(*rules)
    decoder = RowDecoder(schema, "k")
    given_row = [1 if data is None else data.draw(values) for _ in rules]
    body = dict(zip(schema.names, given_row, strict=True))
    if data is not None and data.draw(st.booleans()):
        body.pop(data.draw(st.sampled_from(schema.names)))
    text = json.dumps(body | {"k": "c-1", "more": 1}).encode()
    flat = decoder.flat(text)
    if flat is not None:
        (expected,) = slowly(Records([json.loads(text)]), schema)
        assert same(flat[0], expected)
        assert flat[1] == "c-1"
    listed_text = json.dumps([given_row, given_row]).encode()
    listed = decoder.lists(listed_text)
    alone = decoder.listed(json.dumps(given_row).encode())
    if listed is not None:
        expected = slowly(Lists([given_row, given_row]), schema)
        assert all(same(mine, theirs) for mine, theirs in zip(listed, expected, strict=True))
        assert same(alone, expected[0])
    records = decoder.records(b"[" + text + b", " + text + b"]")
    if records is not None:
        expected = slowly(Records([json.loads(text)] * 2), schema)
        assert all(same(mine, theirs) for mine, theirs in zip(records[0], expected, strict=True))
        assert records[1] == ["c-1", "c-1"]
    assert (records is None) == (flat is None)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(rules=rules(kinds=["int", "float"]), data=st.data())
def test_numbers_of_a_tensor_are_what_the_checks_make_of_them(rules, data):
    schema = schema_of(*rules)
    decoder = RowDecoder(schema)
    assert decoder.numeric
    row = [data.draw(numbers) for _ in rules]
    for given_rows in (
        [row, row],
        msgspec.Raw(json.dumps([row, row]).encode()),
    ):
        found = decoder.numbers(given_rows)
        if found is not None:
            expected = slowly(Lists([row, row]), schema)
            assert all(same(mine, theirs) for mine, theirs in zip(found, expected, strict=True))


def test_numbers_of_a_tensor_may_be_whole_floats_but_no_fractions_or_nan():
    schema = schema_of(
        ColumnRule(name="a", kind="int", max=9.0), ColumnRule(name="b", kind="float")
    )
    decoder = RowDecoder(schema)
    assert decoder.numbers(msgspec.Raw(b"[[3.0, 1], [4, null]]")) == [(3, 1.0), (4, None)]
    assert same(decoder.numbers([[3.0, 1.0]])[0], (3, 1.0))
    for wrong in (
        [[3.5, 1.0]],
        [[math.nan, 1.0]],
        [[1.0, math.nan]],
        [[10.0, 1.0]],
        [[True, 1.0]],
        [[1.0]],
    ):
        assert decoder.numbers(wrong) is None
    assert not RowDecoder(schema_of(ColumnRule(name="a", kind="bool"))).numeric


def test_plain_rows_are_taken_at_once():
    schema = schema_of(
        ColumnRule(name="a", kind="int", min=0.5, max=7.2, nullable=False),
        ColumnRule(name="b", kind="float"),
        ColumnRule(name="c", kind="bool"),
        ColumnRule(name="d", kind="category", values=("x", 3.0), unseen="refuse"),
        ColumnRule(name="e", kind="text"),
    )
    decoder = RowDecoder(schema, "k")
    body = b'{"e": "t", "d": "3", "c": null, "b": 5, "a": 7, "k": 12, "else": []}'
    assert decoder.flat(body) == ((7, 5.0, None, "3", "t"), 12)
    assert decoder.lists(b"[[1, null, true, null, null]]") == [(1, None, True, None, None)]


@pytest.mark.parametrize(
    "body",
    [
        b'{"x": "3"}', b'{"x": true}', b'{"y": 3}', b'{"x": 3', b"[3]", b"3", b"", b"\xff", b"null",
        b'{"x": 1e400}', b'{"x": NaN}', b"[" * 5000,
    ],
)  # fmt: skip
def test_what_is_not_plain_is_left_to_the_slow_way(body):
    assert (
        RowDecoder(schema_of(ColumnRule(name="x", kind="float", nullable=False))).flat(body) is None
    )


def test_sticky_column_that_is_a_feature_is_read_once():
    schema = schema_of(ColumnRule(name="x", kind="float"), ColumnRule(name="y", kind="float"))
    assert RowDecoder(schema, "y").flat(b'{"x": 1, "y": 2}') == ((1.0, 2.0), 2.0)
    assert RowDecoder(schema, "").flat(b'{"x": 1, "y": 2}') == ((1.0, 2.0), None)


def test_very_wide_schema_is_decoded_the_slow_way():
    schema = schema_of(*(ColumnRule(name=f"c{place}", kind="float") for place in range(3000)))
    assert RowDecoder(schema).flat(json.dumps(dict.fromkeys(schema.names, 1)).encode()) is None
