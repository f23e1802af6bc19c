"""Made-up rows keep every limit that the contract names: the gateway's own checks take them."""

import random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from setpoint.client import Tensor
from setpoint.errors import UsageError
from setpoint.gateway.doors.oip import COLUMN_TYPES, _said
from setpoint.gateway.rows.column_check import ColumnRule
from setpoint.gateway.rows.schema import RequestDocument, Schema
from setpoint.load.made_rows import Wish, make_rows, read_wish

LIMITS = st.one_of(st.none(), st.floats(-1e6, 1e6))


@st.composite
def rules(draw, number):
    kind = draw(st.sampled_from(sorted(COLUMN_TYPES)))
    low, high = draw(LIMITS), draw(LIMITS)
    if kind not in ("int", "float"):
        low = high = None
    if low is not None and high is not None:
        low, high = min(low, high), max(low, high) + 1  # a whole number lies within
    values = None
    if kind == "category":
        values = draw(st.one_of(st.none(), st.lists(st.text("abcö", min_size=1), min_size=1)))
    return ColumnRule(
        name=f"c{number}",
        kind=kind,
        min=low,
        max=high,
        values=None if values is None else tuple(values),
        nullable=False,
        unseen="refuse",
    )


def described(rule):
    return Tensor(
        name=rule.name, datatype=COLUMN_TYPES[rule.kind], shape=[-1], parameters=_said(rule)
    )


@given(data=st.data(), count=st.integers(1, 6), seed=st.integers(0, 100))
def test_the_gateway_takes_every_row(data, count, seed):
    columns = tuple(data.draw(rules(number)) for number in range(count))
    document = RequestDocument(model="m", task="regression", contract="c", columns=columns)
    made = make_rows(
        [described(rule) for rule in columns], 20, random.Random(seed), key="", wishes={}
    )
    sent = msgspec.json.decode(msgspec.json.encode(made.rows))
    Schema(document).check([[row[rule.name] for row in sent] for rule in columns])


def tensor(name, datatype="FP64", **parameters):
    return Tensor(name=name, datatype=datatype, shape=[-1], parameters=parameters)


def column(one, *, wishes=None, key=""):
    made = make_rows([one], 500, random.Random(7), key=key, wishes=wishes or {})
    return [row[one.name] for row in made.rows], made


def test_what_nobody_says_is_assumed_and_named():
    _, made = column(tensor("charges"))
    assert made.assumed == ("charges",)
    _, made = column(tensor("tenure", min=0, max=5))
    assert made.assumed == ()


def test_one_limit_is_enough():
    values, made = column(tensor("age", "INT64", min=18))
    assert made.assumed == ()
    assert 18 <= min(values) < max(values) <= 118


def test_a_person_goes_before_the_gateway():
    values, _ = column(tensor("x", min=0, max=1), wishes={"x": Wish(5, 6)})
    assert 5 <= min(values) < max(values) <= 6


def test_values_are_sent_in_the_type_of_their_column():
    assert set(column(tensor("a", "INT64"), wishes={"a": Wish(values=("1", "2"))})[0]) == {1, 2}
    assert set(column(tensor("a", "BOOL"))[0]) == {True, False}
    assert set(column(tensor("a", "BYTES", values='["m", 3, true]'))[0]) == {"m", "3", "true"}


def test_a_server_that_names_only_datatypes_is_enough():
    kinds = {"INT64": int, "FP64": float, "BOOL": bool, "BYTES": str, "FP16": str}
    for datatype, kind in kinds.items():
        assert {type(value) for value in column(tensor("a", datatype))[0]} == {kind}


def test_each_row_is_another_entity():
    _, made = column(tensor("a"), key="customer_id")
    assert len({row["customer_id"] for row in made.rows}) == 500


def test_one_seed_gives_one_table():
    assert column(tensor("a"))[0] == column(tensor("a"))[0]


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("tenure=0..72", ("tenure", Wish(0, 72))),
        (" x = -1.5..1e3", ("x", Wish(-1.5, 1000))),
        ("plan=monthly, yearly", ("plan", Wish(values=("monthly", "yearly")))),
        ("plan=a=b", ("plan", Wish(values=("a=b",)))),
    ],
)
def test_wishes_of_a_command_line(text, wish):
    assert read_wish(text) == wish


@pytest.mark.parametrize(
    "text", ["tenure", "=0..1", "x=", "x=a..b", "x=2..1", "x=0..", "x=nan..1", "x=-inf..inf"]
)
def test_wishes_that_are_none_are_refused(text):
    with pytest.raises(UsageError):
        read_wish(text)


@pytest.mark.parametrize(
    ("one", "wish", "reason"),
    [
        (tensor("a"), {"b": Wish(0, 1)}, "no input 'b'; it has a"),
        (tensor("a", "INT64"), {"a": Wish(0.2, 0.8)}, "no whole number"),
        (tensor("a", "INT64"), {"a": Wish(values=("x",))}, "'x' is no value of 'a', which is a int"),
        (tensor("a", "BOOL"), {"a": Wish(values=("yes",))}, "'yes' is no value"),
        (tensor("a", "BYTES"), {"a": Wish(0, 1)}, "takes values: a=VALUE,VALUE"),
    ],
)  # fmt: skip
def test_wishes_that_a_column_cannot_hold_are_refused(one, wish, reason):
    with pytest.raises(UsageError, match=reason):
        column(one, wishes=wish)
