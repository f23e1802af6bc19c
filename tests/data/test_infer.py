import numpy as np
import pyarrow as pa
import pytest
from small_contracts import contract  # noqa: F401 - the folder's path is set up with it

from setpoint.contract.parse import parse
from setpoint.data.contract_text import contract_text
from setpoint.data.draft import Draft, Wish
from setpoint.data.infer import MIN_ROWS, infer
from setpoint.data.sniff import TextForm
from setpoint.data.validate import validate
from setpoint.errors import DataError, EmptyTableError

ROWS = 600


def base(rows: int = ROWS, seed: int = 0) -> dict:
    rng = np.random.default_rng(seed)
    x = rng.normal(50, 10, rows)
    y = np.where(x + rng.normal(0, 10, rows) > 50, "yes", "no")
    return {"x": x, "plan": rng.choice(["a", "b"], rows), "y": y}


def draft(columns: dict, form: TextForm | None = None, **wish) -> Draft:
    return infer(pa.table(columns), Wish("m", "x.csv", wish.pop("target", "y"), **wish), form=form)


def text(columns: dict) -> pa.Table:
    return {name: [str(value) for value in values] for name, values in columns.items()}


def rules(found: Draft, name: str) -> dict:
    return found.contract["data"]["columns"][name]


def test_a_draft_is_a_contract_that_its_own_table_keeps():
    found = draft(base())
    declared = parse(contract_text(found.contract, found.remarks))
    assert declared.data.positive == "yes"
    assert validate(pa.table(base()), declared).blocking == ()
    assert validate(pa.table(base(seed=5)), declared).blocking == ()


def test_a_change_of_unit_does_not_keep_it():
    declared = parse(contract_text(draft(base()).contract, {}))
    spoilt = base() | {"x": base()["x"] * 1000}
    assert [c.name for c in validate(pa.table(spoilt), declared).blocking] == ["range"]


@pytest.mark.parametrize(
    ("labels", "task", "positive"),
    [
        (["No", "Yes"], "binary", "Yes"),
        (["0", "1"], "binary", "1"),
        (["1", "2", "1"], "binary", "2"),
        (["<=50K", ">50K"], "binary", ">50K"),
        (["good", "good", "bad"], "binary", "bad"),
        (["True", "False"], "binary", "true"),
        (["0.5", "1.5"], "binary", "0.5"),
        (["a", "b", "c"], "multiclass", None),
        (["0", "1", "2"], "multiclass", None),
        (["3", "5", "7", "9"], "regression", None),
        (["1.5", "2.5", "9"], "regression", None),
    ],
)
def test_the_task_and_the_positive_class_follow_from_the_target(labels, task, positive):
    columns = base() | {"y": [labels[i % len(labels)] for i in range(ROWS)]}
    found = draft(text(columns))
    assert found.contract["model"]["task"] == task
    assert found.contract["data"].get("positive") == positive


def test_a_stated_task_overrules():
    columns = base() | {"y": np.arange(ROWS) % 4}
    assert draft(columns).contract["model"]["task"] == "multiclass"
    assert draft(columns, task="regression").contract["model"]["task"] == "regression"
    with pytest.raises(DataError, match="task binary needs two"):
        draft(columns, task="binary")


# What cannot be drafted from


def test_an_empty_table():
    with pytest.raises(EmptyTableError, match="no rows"):
        draft({"x": pa.array([], pa.string()), "y": pa.array([], pa.string())})


def test_one_row():
    with pytest.raises(DataError, match="in every row"):
        draft({"x": ["1"], "y": ["a"]})


def test_too_few_labelled_rows():
    with pytest.raises(DataError, match=f"at least {MIN_ROWS}"):
        draft({"x": range(4), "y": ["a", "b", "a", "b"]})


def test_a_target_that_is_not_there_suggests_the_nearest():
    with pytest.raises(DataError, match="did you mean 'churned'"):
        draft(base() | {"churned": ["a", "b"] * 300}, target="churnde")


def test_a_target_without_any_value():
    with pytest.raises(DataError, match="empty in every row"):
        draft(base() | {"y": [""] * ROWS})


def test_a_target_of_one_class():
    with pytest.raises(DataError, match="'a' in every row"):
        draft(base() | {"y": ["a"] * ROWS})


def test_a_target_with_a_value_in_every_row():
    with pytest.raises(DataError, match="too many for classes"):
        draft(base() | {"y": [f"id{i}" for i in range(ROWS)]})


def test_no_column_to_learn_from():
    with pytest.raises(DataError, match="no column is left"):
        draft({"x": ["same"] * ROWS, "y": ["a", "b"] * 300})


def test_all_cells_missing():
    with pytest.raises(DataError, match="no column is left"):
        draft({"x": [""] * ROWS, "z": [" "] * ROWS, "y": ["a", "b"] * 300})


def test_duplicate_names():
    table = pa.Table.from_arrays(
        [pa.array([1]), pa.array([2]), pa.array(["a"])], names=["x", "x", "y"]
    )
    with pytest.raises(DataError, match="more than once"):
        infer(table, Wish("m", "x", "y"))


@pytest.mark.parametrize("stamps", [["soon"] * ROWS, range(ROWS), ["2024-01-01"] * 599 + [""]])
def test_a_time_column_that_holds_no_times(stamps):
    with pytest.raises(DataError, match="t"):
        draft(base() | {"t": list(stamps)}, time="t")


# What is left out, and why


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (list(range(1, ROWS + 1)), "numbers the rows"),
        (["same"] * ROWS, "one value"),
        ([None] * (ROWS - 5) + ["a"] * 5, "empty in all but 5 rows"),
        ([f"note {i} of a person" for i in range(ROWS)], "names single rows"),
        ([f"2024-01-{1 + i % 28:02}" for i in range(ROWS)], "a moment"),
        (base()["x"] + 0.0, "same values as x"),
        (base()["y"], "gives the answer away"),
        (
            np.where(base()["y"] == "yes", 1.0, 0.0)
            + np.random.default_rng(1).normal(0, 1e-3, ROWS),
            "gives the answer away",
        ),
        ([None if label == "no" else "filled" for label in base()["y"]], "whether it is filled in"),
    ],
)
def test_a_column_that_is_no_input_is_left_out_with_its_reason(values, reason):
    found = draft(base() | {"z": values})
    assert reason in rules(found, "z")["reason"]
    assert rules(found, "z")["use"] is False


def test_the_answer_of_another_model_is_left_out():
    found = draft(base() | {"y_pred_proba": np.random.default_rng(0).random(ROWS)})
    assert "another model" in rules(found, "y_pred_proba")["reason"]


def test_a_telling_column_stays_with_a_remark():
    noisy = np.where(base()["y"] == "yes", 1.0, -1.0) + np.random.default_rng(1).normal(
        0, 0.9, ROWS
    )
    found = draft(base() | {"z": noisy})
    assert "type" in rules(found, "z")
    assert "is it known when a prediction is made" in found.remarks["data.columns.z"]


@pytest.mark.parametrize("sign", [1, -1])
def test_two_columns_that_add_up_to_the_target_are_left_out(sign):
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 100, ROWS), rng.integers(0, 50, ROWS)
    found = draft(base() | {"casual": a, "registered": b, "y": a + sign * b})
    assert set(found.left_out) == {"casual", "registered"}


def test_values_later_than_their_row_are_from_the_future_and_so_are_their_companions():
    day = np.datetime64("2024-01-01") + np.arange(ROWS) // 3
    is_in = np.random.default_rng(3).random(ROWS) < 0.4
    later = [str(d + 90) if flag else "" for d, flag in zip(day, is_in, strict=True)]
    columns = base() | {
        "t": [str(d) for d in day],
        "back_on": later,
        "came_back": is_in.astype(int),
    }
    found = draft(columns, time="t")
    assert "later than the row" in found.left_out["back_on"]
    assert "says the same" in found.left_out["came_back"]


def test_a_column_that_tells_all_stays_when_it_is_the_only_one():
    found = draft({"x": [0, 1] * 300, "y": ["a", "b"] * 300})
    assert "type" in rules(found, "x")
    assert "is it known" in found.remarks["data.columns.x"]


# What the limits leave room for


def test_missing_values_leave_room():
    columns = base() | {"z": [None if i % 10 == 0 else i % 7 for i in range(ROWS)]}
    assert rules(draft(columns), "z")["nulls"] == "25%"


def test_seasons_are_no_closed_list_and_plans_are():
    seasons = ["winter"] * 150 + ["spring"] * 150 + ["summer"] * 150 + ["autumn"] * 150
    found = draft(base() | {"season": seasons})
    assert "values" not in rules(found, "season")
    assert rules(found, "plan")["values"] == ["a", "b"]


def test_counts_stay_above_nothing_and_hours_within_the_day():
    rng = np.random.default_rng(4)
    found = draft(
        base()
        | {
            "n": rng.integers(0, 9, ROWS),
            "hr": rng.integers(0, 24, ROWS),
            "flag": rng.integers(0, 2, ROWS),
        }
    )
    assert rules(found, "n")["min"] == 0
    assert (rules(found, "hr")["min"], rules(found, "hr")["max"]) == (0, 23)
    assert (rules(found, "flag")["min"], rules(found, "flag")["max"]) == (0, 1)


def test_what_grows_with_time_has_no_upper_limit():
    found = draft(base() | {"year": [2010 + i // 100 for i in range(ROWS)]})
    assert "max" not in rules(found, "year")
    assert "moves with time" in found.remarks["data.columns.year"]


# How the file is written


def test_tokens_that_mean_missing_are_found_and_unknown_is_an_answer():
    columns = text(base()) | {
        "z": ["?" if i % 9 == 0 else str(i % 5) for i in range(ROWS)],
        "job": ["unknown", "cook"] * 300,
    }
    found = draft(columns, TextForm())
    assert found.contract["data"]["format"] == {"nulls": ["?"]}
    assert rules(found, "z")["type"] == "int"
    assert rules(found, "job")["values"] == ["cook", "unknown"]


def test_days_before_months_are_stated_so_that_a_later_file_cannot_be_misread():
    days = [f"{1 + i % 28:02}/0{1 + i % 6}/2024" for i in range(ROWS)]
    found = draft(text(base()) | {"t": days}, TextForm(), time="t")
    assert found.contract["data"]["format"]["dayfirst"] is True
    assert any("sorted" in note for note in found.notes)


def test_seconds_since_1970_are_times():
    found = draft(base() | {"t": 1_400_000_000 + 60 * np.arange(ROWS)}, time="t")
    assert found.contract["data"]["time"] == "t"
    assert found.contract["monitor"]["window"].endswith("d")


def test_rows_without_a_label_are_told():
    found = draft(base() | {"y": [None if i < 7 else float(i % 50) + 0.5 for i in range(ROWS)]})
    assert "7 rows have no label; they are not learnt from" in found.notes


def test_a_unique_identifier_becomes_the_key_and_a_sensitive_column_is_protected():
    columns = base() | {"customerID": [f"c{i}" for i in range(ROWS)], "gender": ["f", "m"] * 300}
    found = draft(columns)
    assert found.contract["data"]["key"] == "customerID"
    assert found.contract["data"]["checks"]["unique"] == ["customerID"]
    assert found.contract["data"]["protected"] == ["gender"]


def test_names_of_any_script_and_punctuation_read_back():
    odd = {
        "Größe (m²)": base()["x"] + 1,
        "no": ["on", "off"] * 300,
        "été: #1": range(7, 7 + ROWS),
        "用户": ["甲", "乙"] * 300,
        "1e5": np.arange(ROWS) % 9,
    }
    found = draft(base() | odd)
    declared = parse(contract_text(found.contract, found.remarks))
    assert set(declared.data.columns) >= {"Größe (m²)", "no", "用户", "1e5"}
    assert declared.data.columns["no"].values == ("off", "on")


def test_infinite_and_mixed_cells_do_not_stop_a_draft():
    columns = base() | {
        "z": [float("inf") if i == 3 else float("nan") if i == 4 else i % 11 for i in range(ROWS)]
    }
    assert rules(draft(columns), "z")["type"] == "float"
    mixed = text(base()) | {"z": ["x" if i == 3 else str(i % 9) for i in range(ROWS)]}
    assert rules(draft(mixed, TextForm()), "z")["type"] == "category"


def test_five_thousand_columns():
    rng = np.random.default_rng(0)
    wide = {f"c{i}": rng.normal(size=60) for i in range(5000)}
    found = draft(wide | {"y": ["a", "b"] * 30})
    declared = parse(contract_text(found.contract, found.remarks))
    assert len(declared.features_declared) == 5000
    assert any("their types are stated" in note for note in found.notes)
