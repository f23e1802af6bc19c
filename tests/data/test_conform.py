import numpy as np
import pyarrow as pa
import pytest
from small_contracts import contract

from setpoint.data.conform import conform, require_columns, sort_by_time, take, ticks
from setpoint.errors import DataError, EmptyTableError


def typed(values, kind, **fmt):
    declared = (
        contract({"x": {"type": kind}}, format=fmt) if fmt else contract({"x": {"type": kind}})
    )
    rows = len(values)
    return conform(pa.table({"x": values, "y": ["a"] * rows}), declared)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        (
            "int",
            ["1", " 2 ", "", "3.0", "+4", "9007199254740993"],
            [1, 2, None, 3, 4, 9007199254740993],
        ),
        ("float", ["1", ".5", "1e3", " ", "-2.", "nan"], [1.0, 0.5, 1000.0, None, -2.0, None]),
        ("bool", ["true", "No", "1", "", "F"], [True, False, True, None, False]),
        ("category", ["a", " b ", ""], ["a", "b", None]),
        ("int", pa.array([1.0, float("nan"), None, 3.0]), [1, None, None, 3]),
        ("float", pa.array([1, None]), [1.0, None]),
        ("category", pa.array([1, 2, None]), ["1", "2", None]),
        ("category", pa.array([1.0, 2.0, None]), ["1", "2", None]),
        ("category", pa.array([True, None]), ["true", None]),
        ("category", pa.array(["u", None, "v"]).dictionary_encode(), ["u", None, "v"]),
        ("bool", pa.array([1, 0, None]), [True, False, None]),
        ("float", pa.array([True, False]), [1.0, 0.0]),
    ],
)
def test_cells_that_fit_are_typed(kind, values, expected):
    found = typed(values, kind)
    assert found.table["x"].to_pylist() == expected
    assert found.misfits == {}


@pytest.mark.parametrize(
    ("kind", "values", "rows", "texts"),
    [
        ("int", ["1", "2.5", "x", ""], [1, 2], ["2.5", "x"]),
        ("float", ["1", "1,5", "--"], [1, 2], ["1,5", "--"]),
        ("float", ["1", "inf", "1e999"], [1, 2], ["inf", "1e999"]),
        ("float", pa.array([1.0, float("inf"), float("nan")]), [1], ["inf"]),
        ("int", pa.array([1.0, 2.5]), [1], ["2.5"]),
        ("bool", ["yes", "2"], [1], ["2"]),
        ("datetime", ["2024-01-01", "soon", ""], [1], ["soon"]),
        ("float", pa.array([[1], [2]]), [0, 1], ["[1]", "[2]"]),
        ("int", pa.array([2**64 - 1, 1], pa.uint64()), [0], ["18446744073709551615"]),
    ],
)
def test_cells_that_do_not_fit_are_counted_and_located(kind, values, rows, texts):
    found = typed(values, kind)
    assert found.misfits["x"].rows.tolist() == rows
    assert found.misfits["x"].values.to_pylist() == texts
    assert all(found.table["x"][row].as_py() is None for row in rows)


def test_tokens_of_the_contract_are_missing_and_no_misfits():
    found = typed(["1", "?", "NA"], "float", nulls=["?", "NA"])
    assert found.table["x"].to_pylist() == [1.0, None, None]
    assert not found.misfits


def test_decimal_commas_with_points_between_thousands():
    found = typed(["1.234,5", "-0,25", "7"], "float", decimal=",")
    assert found.table["x"].to_pylist() == [1234.5, -0.25, 7.0]


def test_days_before_months_as_the_contract_says():
    found = typed(["01/02/2024"], "datetime", dayfirst=True)
    assert found.table["x"][0].as_py().month == 2
    assert not found.in_doubt
    assert typed(["01/02/2024"], "datetime").in_doubt == ("x",)


def test_zones_become_utc():
    stamp = pa.array([0], pa.timestamp("s", tz="Europe/Berlin"))
    assert typed(stamp, "datetime").table["x"][0].as_py().isoformat() == "1970-01-01T00:00:00+00:00"


def test_typing_a_typed_table_changes_nothing():
    declared = contract({"x": {"type": "int"}, "c": {"type": "category"}}, time="t", key="k")
    raw = pa.table(
        {
            "x": ["1", ""],
            "c": ["u", "v"],
            "t": ["2024-01-01", "2024-01-02"],
            "k": ["1", "2"],
            "y": ["0", "1"],
        }
    )
    once = conform(raw, declared)
    assert conform(once.table, declared).table.equals(once.table)


def test_classes_and_keys_are_text_whatever_held_them():
    declared = contract({"x": {"type": "int"}}, key="k")
    found = conform(pa.table({"x": [1], "k": [17], "y": [1.0]}), declared).table
    assert found["k"].to_pylist() == ["17"]
    assert found["y"].to_pylist() == ["1"]


def test_a_contract_that_lists_columns_ignores_others_and_says_so():
    declared = contract({"x": {"type": "int"}, "old": {"use": False}}, protected=["sex"])
    found = conform(
        pa.table({"x": [1], "sex": ["f"], "new": [2], "old": [3], "y": ["a"]}), declared
    )
    assert found.table.column_names == ["x", "y", "sex"]
    assert found.unlisted == ("new", "old")


def test_a_contract_without_columns_takes_all():
    found = conform(pa.table({"x": ["1"], "z": ["u"], "y": ["a"]}), contract())
    assert [(use.name, use.type, use.role) for use in found.columns] == [
        ("x", "int", "input"),
        ("z", "category", "input"),
        ("y", "category", "target"),
    ]


def test_columns_that_lack_are_named():
    assert conform(pa.table({"y": ["a"]}), contract({"x": {"type": "int"}})).absent == ("x",)


def test_two_columns_of_one_name_are_refused():
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["x", "x"])
    with pytest.raises(DataError, match="'x' come more than once"):
        conform(table, contract())


def test_sorting_keeps_the_order_of_equal_moments_and_moves_misfits_along():
    declared = contract({"x": {"type": "int"}}, time="t")
    raw = pa.table(
        {
            "t": ["2024-01-02", "2024-01-01", "", "2024-01-02"],
            "x": ["1", "bad", "3", "4"],
            "y": list("abcd"),
        }
    )
    found = sort_by_time(conform(raw, declared), declared)
    assert found.table["y"].to_pylist() == ["b", "a", "d", "c"]
    assert found.misfits["x"].rows.tolist() == [0]
    at = ticks(found.table, declared)
    assert at[0] == 1704067200.0
    assert np.isnan(at[-1])


def test_a_part_keeps_only_its_own_misfits():
    found = typed(["x", "1", "y", "2"], "int")
    part = take(found, 1, 3)
    assert part.table["x"].to_pylist() == [1, None]
    assert part.misfits["x"].rows.tolist() == [1]
    assert part.misfits["x"].values.to_pylist() == ["y"]


def test_without_a_time_column_ticks_are_positions():
    assert ticks(pa.table({"y": ["a", "b"]}), contract()).tolist() == [0.0, 1.0]


def test_table_of_another_kind_is_told_by_what_it_lacks_not_as_empty():
    declared = contract({"x": {"type": "float"}})
    other = pa.table({"a": [1, 2, 3], "b": [1, 2, 3]})
    with pytest.raises(DataError, match=r"t.csv has 3 rows, and lacks .*'x', 'y'; it has a, b"):
        require_columns(conform(other, declared), other, [], "t.csv")
    features = pa.table({"x": [1.0, 2.0]})
    require_columns(conform(features, declared), features, [], "t.csv")
    with pytest.raises(DataError, match=r"2 rows, and lacks columns of the contract: 'y'"):
        require_columns(conform(features, declared), features, ["y"], "t.csv")
    none = pa.table({"x": pa.array([], pa.float64()), "y": pa.array([], pa.string())})
    with pytest.raises(EmptyTableError, match="no rows"):
        require_columns(conform(none, declared), none, ["y"], "t.csv")
