import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from small_contracts import contract

from setpoint.contract.parse import from_plain
from setpoint.data.conform import conform, sort_by_time, take, ticks
from setpoint.data.labels import LabelReference, label_reference
from setpoint.data.validate import validate
from setpoint.facts.report import ValidationReport

RULES = {
    "age": {"type": "int", "min": 0, "max": 120},
    "plan": {"type": "category", "values": ["monthly", "yearly"]},
    "charge": {"type": "float", "nulls": "10%"},
}


def table(rows: int = 100, **changes) -> pa.Table:
    columns = {
        "age": [30 + i % 40 for i in range(rows)],
        "plan": ["monthly", "yearly"] * (rows // 2),
        "charge": [float(i) for i in range(rows)],
        "y": ["0", "1"] * (rows // 2),
    }
    return pa.table(columns | changes)


def check(report: ValidationReport, name: str, column: str = ""):
    return next(c for c in report.checks if c.name == name and column in ("", c.column))


def spoilt(column: str, places: dict[int, object], rows: int = 100) -> pa.Table:
    values = table(rows)[column].to_pylist()
    for place, value in places.items():
        values[place] = value
    return table(rows, **{column: values})


def test_a_table_that_keeps_the_contract_passes_every_check():
    report = validate(table(), contract(RULES), source="x.csv")
    assert {c.verdict.verdict for c in report.checks} == {"pass"}
    assert (report.rows, report.source, report.blocking) == (100, "x.csv", ())


def test_a_value_out_of_range_fails_with_its_row():
    found = check(validate(spoilt("age", {6: -1, 9: 999}), contract(RULES)), "range", "age")
    assert found.verdict.verdict == "fail"
    assert found.failing == 2
    assert found.sample == ({"row": 7, "value": -1}, {"row": 10, "value": 999})
    assert found.verdict.limit == (0.0, 120.0)


def test_one_bound_alone_is_a_range_too():
    report = validate(
        spoilt("charge", {0: -5.0}), contract({"charge": {"type": "float", "min": 0}})
    )
    assert check(report, "range", "charge").failing == 1


def test_a_date_out_of_range_fails():
    rules = {"d": {"type": "datetime", "min": "2024-01-01", "max": "2024-12-31"}}
    report = validate(table(2, d=["2024-06-01", "2025-06-01"]), contract(rules))
    assert check(report, "range", "d").sample[0]["row"] == 2


@pytest.mark.parametrize(("missing", "verdict"), [(10, "pass"), (11, "fail")])
def test_missing_values_are_judged_as_they_are(missing, verdict):
    report = validate(spoilt("charge", dict.fromkeys(range(missing))), contract(RULES))
    assert check(report, "nulls", "charge").verdict.verdict == verdict


@pytest.mark.parametrize(("new", "verdict"), [(5, "pass"), (6, "fail")])
def test_new_categories_fail_only_when_they_are_many(new, verdict):
    found = check(
        validate(spoilt("plan", dict.fromkeys(range(new), "weekly")), contract(RULES)),
        "values",
        "plan",
    )
    assert found.verdict.verdict == verdict
    assert found.failing == new
    assert found.sample[0] == {"row": 1, "value": "weekly"}


def test_a_few_rows_of_new_categories_are_inconclusive():
    report = validate(spoilt("plan", {0: "weekly"}, rows=4), contract(RULES))
    assert check(report, "values", "plan").verdict.verdict == "inconclusive"
    assert report.blocking == ()


def test_cells_of_another_type_fail_with_row_and_value():
    found = check(
        validate(
            spoilt("age", {2: 3}).set_column(0, "age", pa.array(["x"] * 100)), contract(RULES)
        ),
        "type",
        "age",
    )
    assert (found.failing, found.acceptable) == (100, True)
    assert found.sample[0] == {"row": 1, "value": "x"}


def test_a_column_that_lacks_fails_and_cannot_be_accepted():
    report = validate(table().drop_columns(["age"]), contract(RULES), accepted=["columns"])
    assert [c.name for c in report.blocking] == ["columns"]
    assert "age" in report.blocking[0].verdict.reason


def test_999_rows_of_1000_fail():
    report = validate(table(998), contract(RULES, checks={"min_rows": 1000}))
    assert check(report, "min_rows").verdict.reason == "min_rows 1000, got 998"


def test_no_rows_fail_and_cannot_be_accepted():
    report = validate(table().slice(0, 0), contract(RULES), accepted=["min_rows"])
    assert [c.name for c in report.blocking] == ["min_rows"]


def test_repeated_rows_are_counted_and_fail_beyond_their_share():
    twice = pa.concat_tables([table(), table().slice(0, 10)])
    assert check(validate(twice, contract(RULES)), "duplicates").failing == 10
    report = validate(twice, contract(RULES, checks={"duplicates": "5%"}))
    assert check(report, "duplicates").verdict.verdict == "fail"
    assert check(report, "duplicates").sample[0] == {"row": 101}


def test_repeated_keys_are_told_and_fail_only_where_they_must_be_unique():
    rows = table().append_column("k", pa.array(["same"] * 2 + [str(i) for i in range(98)]))
    assert (
        check(validate(rows, contract(RULES, key="k")), "repeated_keys").verdict.verdict == "pass"
    )
    report = validate(rows, contract(RULES, key="k", checks={"unique": ["k"]}))
    assert check(report, "unique").verdict.verdict == "fail"
    assert check(report, "unique").sample == ({"row": 2},)


def test_a_column_that_must_be_unique():
    report = validate(
        spoilt("charge", {1: 0.0}), contract({"charge": {"type": "float", "unique": True}})
    )
    assert check(report, "unique", "charge").failing == 2


def test_samples_never_show_a_key_or_a_protected_column():
    rules = RULES | {
        "sex": {"type": "category", "values": ["f", "m"]},
        "k": {"type": "text", "unique": True},
    }
    rows = (
        table()
        .append_column("sex", pa.array(["SECRET"] * 100))
        .append_column("k", pa.array(["HIDDEN"] * 100))
    )
    report = validate(rows, contract(rules, protected=["sex"], key="k", checks={"unique": ["k"]}))
    assert len(report.blocking) >= 2
    assert "SECRET" not in str(report)
    assert "HIDDEN" not in str(report)


def test_an_accepted_check_no_longer_blocks_but_still_says_fail():
    report = validate(spoilt("age", {0: -1}), contract(RULES), accepted=["range"])
    assert report.blocking == ()
    assert check(report, "range", "age").verdict.verdict == "fail"
    assert report.checks[0].name == "range"


def test_rows_without_a_moment_fail():
    report = validate(table(2, t=["2024-01-01", ""]), contract(RULES, time="t"), accepted=["time"])
    assert [c.name for c in report.blocking] == ["time"]


def test_labels_that_lack_are_told_and_none_at_all_fails():
    some = check(validate(spoilt("y", {0: None}), contract(RULES)), "labelled")
    assert (some.verdict.verdict, some.failing) == ("pass", 1)
    none = validate(table(y=pa.nulls(100, pa.string())), contract(RULES))
    assert check(none, "labelled").verdict.verdict == "fail"


def test_one_class_alone_fails_where_there_is_nothing_to_compare_with():
    assert (
        check(validate(table(y=["1"] * 100), contract(RULES)), "one_class").verdict.verdict
        == "fail"
    )


def test_a_third_class_of_a_binary_target_fails_and_cannot_be_accepted():
    found = check(validate(spoilt("y", {3: "Maybe", 8: "Maybe"}), contract(RULES)), "classes", "y")
    assert (found.verdict.verdict, found.failing, found.acceptable) == ("fail", 2, False)
    assert found.sample == ({"row": 4}, {"row": 9})
    assert "2 of 100 labels are 'Maybe' (2); the classes are '0', '1'" in found.verdict.reason


def test_the_positive_class_is_never_the_one_too_many():
    labels = ["a"] * 60 + ["b"] * 38 + ["sick"] * 2
    report = validate(table(y=labels), contract(RULES, positive="sick"))
    assert check(report, "classes").verdict.evidence == {"unknown": {"b": 38}}


def test_a_positive_class_that_no_row_has_is_told_before_the_fit():
    found = check(validate(table(), contract(RULES, positive="yes")), "classes")
    assert found.verdict.verdict == "fail"
    assert "the classes are '0', 'yes'" in found.verdict.reason


@pytest.mark.parametrize(("task", "verdict"), [("binary", "fail"), ("multiclass", "pass")])
def test_a_class_that_the_champion_does_not_know_is_told_and_fails_where_it_never_fits(
    task, verdict
):
    known = LabelReference({"0": 0.5, "1": 0.5}, 1000)
    report = validate(
        table(y=["0", "1", "2", "1"] * 25), contract(RULES, task=task), reference=known
    )
    found = check(report, "classes")
    assert found.verdict.verdict == verdict
    assert found.verdict.reason.startswith(
        "25 of 100 labels are '2' (25); the champion knows '0', '1'"
    )


def test_classes_of_a_first_multiclass_table_are_all_as_good():
    report = validate(table(y=["a", "b", "c", "d"] * 25), contract(RULES, task="multiclass"))
    assert check(report, "classes").verdict.reason == ""


def test_a_constant_number_to_predict_fails():
    report = validate(table(y=[3.0] * 100), contract(RULES, task="regression"))
    assert check(report, "one_class").verdict.verdict == "fail"


@pytest.mark.parametrize(
    ("positives", "rows", "verdict"),
    [
        (50, 100, "pass"),
        (70, 100, "pass"),
        (76, 100, "inconclusive"),
        (90, 100, "fail"),
        (20, 20, "fail"),
        (4, 4, "inconclusive"),
        (2, 4, "inconclusive"),
    ],
)
def test_label_shares_fail_when_the_whole_interval_of_the_move_is_beyond_the_limit(
    positives, rows, verdict
):
    labels = ["1"] * positives + ["0"] * (rows - positives)
    report = validate(
        table(rows, y=labels),
        contract(RULES),
        reference=LabelReference({"0": 0.5, "1": 0.5}, 10_000),
    )
    assert check(report, "label_share").verdict.verdict == verdict


def test_labels_that_come_in_runs_need_more_rows():
    labels = ["0"] * 500
    shares = {"0": 0.7, "1": 0.3}
    alone = validate(table(500, y=labels), contract(RULES), reference=LabelReference(shares, 5000))
    in_runs = validate(
        table(500, y=labels), contract(RULES), reference=LabelReference(shares, 5000, 100.0)
    )
    assert check(alone, "label_share").verdict.verdict == "fail"
    assert check(in_runs, "label_share").verdict.verdict == "inconclusive"


def test_a_new_class_moves_the_labels_too():
    report = validate(
        table(y=["2"] * 100),
        contract(RULES, task="multiclass"),
        reference=LabelReference({"0": 0.6, "1": 0.4}, 999),
    )
    assert check(report, "label_share").verdict.evidence["label"] == "2"
    assert [c.name for c in report.blocking] == ["label_share"]


def test_the_limit_of_the_contract_counts():
    declared = contract(RULES, checks={"label_share": {"shift": "5 points"}})
    report = validate(
        table(y=["1"] * 70 + ["0"] * 30),
        declared,
        reference=LabelReference({"0": 0.5, "1": 0.5}, 10_000),
    )
    assert check(report, "label_share").verdict.verdict == "fail"


def test_a_typed_part_is_judged_by_its_own_misfits():
    whole = conform(
        spoilt("age", {0: 1}).set_column(0, "age", pa.array(["x"] + ["5"] * 99)), contract(RULES)
    )
    assert validate(take(whole, 0, 50), contract(RULES)).blocking != ()
    assert validate(take(whole, 50, 100), contract(RULES)).blocking == ()


def test_hundreds_of_thousands_of_failing_rows_are_told_quickly():
    rows = 200_000
    report = validate(
        pa.table({"age": np.full(rows, -1), "y": ["0", "1"] * (rows // 2)}),
        contract({"age": RULES["age"]}),
    )
    assert check(report, "range").failing == rows


def test_compas_by_thirty_days_stops_at_the_labels_that_are_all_one(real):
    """From 2014-04-02 every label is 1; no batch before may fail, every one after must."""
    columns = {
        "age": {"type": "int", "min": 0, "max": 130},
        "priors_count": {"type": "int", "min": 0},
    }
    declared = from_plain(
        {
            "model": {"name": "compas", "task": "binary"},
            "data": {
                "source": "x",
                "target": "two_year_recid",
                "time": "compas_screening_date",
                "columns": columns,
                "checks": {"label_share": {"shift": "25 points"}},
            },
        }
    )
    raw = pyarrow.csv.read_csv(real / "compas" / "compas-scores-two-years.csv")
    typed = sort_by_time(conform(raw, declared), declared)
    at = ticks(typed.table, declared)
    start, turn = (
        np.datetime64(day, "s").astype(np.float64) for day in ("2013-10-01", "2014-04-02")
    )
    known = int(np.searchsorted(at, start))
    reference = label_reference(typed.table["two_year_recid"].slice(0, known), ordered=True)
    batch, before, after = 30 * 86_400.0, 0, 0
    while start <= at[-1]:
        first, last = np.searchsorted(at, [start, start + batch])
        report = validate(take(typed, int(first), int(last)), declared, reference=reference)
        names = [c.name for c in report.blocking]
        if start + batch <= turn:
            assert names == []
            before += 1
        else:
            assert names == ["label_share"], report.checks
            after += 1
        start += batch
    assert (before, after) == (6, 10)
