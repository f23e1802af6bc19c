"""Tests of rows that are decoded straight into types: every shape reads as the slow way reads it."""

import json
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from setpoint.gateway.doors import predict
from setpoint.gateway.rows.row_decoder import RowDecoder
from setpoint.gateway.rows.rows import TypedRows, checked, entity_text
from setpoint.gateway.rows.schema import RequestDocument, Schema
from setpoint.gateway.rows.typed_rows import typed_rows
from setpoint.gateway.wire.refusal import RefusedError


def serving_of(document, extra="customer_id"):
    schema = Schema(msgspec.convert(document, RequestDocument))
    names = frozenset(schema.names)
    return SimpleNamespace(
        decoder=RowDecoder(schema, extra),
        champion=SimpleNamespace(schema=schema),
        extra=extra,
        feature_names=names,
        wrappers=tuple(
            f'"{name}"'.encode() for name in ("features", "instances") if name not in names
        ),
    )


def read(how, body, serving):
    """Return the checked rows, their keys and whether the body was a flat row; or the refusal."""
    schema = serving.champion.schema
    try:
        rows, flat = how(body, serving)
        keys = [entity_text(key) for key in rows.values("customer_id", schema)]
        found = list(checked(rows, schema))
        return found, [type(value) for row in found for value in row], keys, flat, rows.count
    except RefusedError as refusal:
        return refusal.status, str(refusal)


cells = st.fixed_dictionaries(
    {
        "tenure": st.sampled_from([3, 3.0, 3.5, -1, None, "3", True]),
        "charges": st.sampled_from([70.5, 7, None, 1e39, "x", 2**63]),
        "paperless": st.sampled_from([True, False, 1, 0.0, None, "yes"]),
        "plan": st.sampled_from(["monthly", "yearly", None, "", "weekly", 1]),
        "region": st.sampled_from(["north", None, "", 3, True, "a\0b", []]),
    }
)
plain = st.fixed_dictionaries(
    {
        "tenure": st.integers(0, 120),
        "charges": st.sampled_from([70.5, 7]),
        "paperless": st.booleans(),
        "plan": st.sampled_from(["monthly", None]),
        "region": st.sampled_from(["north", None]),
    }
)
mappings = st.one_of(plain, plain, cells, cells.map(lambda row: dict(list(row.items())[1:])))
extras = st.sampled_from([{}, {"customer_id": "C-1"}, {"customer_id": 7}, {"customer_id": [1]}])
objects = st.builds(lambda row, extra: row | extra, mappings, extras)
lists = mappings.map(lambda row: list(row.values()))
rows = st.one_of(
    st.lists(lists, max_size=3), st.lists(objects, max_size=3), lists, objects,
    st.lists(st.one_of(lists, objects, st.just(1)), max_size=3),
)  # fmt: skip
bodies = st.one_of(
    rows,
    rows.map(lambda given: {"features": given}),
    rows.map(lambda given: {"parameters": {}, "instances": given}),
    st.tuples(rows, rows).map(lambda pair: {"instances": pair[0], "features": pair[1]}),
)


@settings(max_examples=600, deadline=None, derandomize=True)
@given(body=bodies, spaced=st.booleans())
def test_every_body_reads_as_the_slow_way_reads_it(request_document, body, spaced):
    serving = serving_of(request_document)
    text = json.dumps(body, indent=1 if spaced else None).encode()
    if spaced:
        text = b" \n" + text
    assert read(predict._read, text, serving) == read(predict._read_slowly, text, serving)


@pytest.mark.parametrize(
    "body",
    [
        b'{"features": [[3, 70.5, true, "monthly", "north"]]}',
        b'{"instances": [[3, 70.5, true, "monthly", null], [3, 70, false, null, "x"]]}',
        b'[[3, 70.5, true, "monthly", "north"]]',
        b'{"features": [3, 70.5, true, "monthly", "north"]}',
        b'{"features": [{"tenure": 3, "charges": 1, "paperless": true, "plan": null, "region": "x"}]}',
    ],
)
def test_plain_rows_take_the_quick_way(request_document, body):
    rows, flat = predict._read(body, serving_of(request_document))
    assert isinstance(rows, TypedRows)
    assert not flat


def test_keys_of_typed_objects_are_kept_row_by_row(request_document, row):
    serving = serving_of(request_document)
    body = json.dumps([row, row | {"customer_id": "C-2"}]).encode()
    rows = typed_rows(body, serving, lambda: None)
    assert list(rows.values("customer_id", None)) == ["C-1", "C-2"]


def test_sticky_feature_of_typed_lists_is_read_from_each_row(request_document):
    serving = serving_of(request_document, "region")
    body = b'[[3, 70.5, true, "monthly", "north"], [3, 70.5, true, "monthly", "south"]]'
    rows = typed_rows(body, serving, lambda: None)
    assert list(rows.values("region", None)) == ["north", "south"]
