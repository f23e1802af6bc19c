"""The same rows through a gateway and through `score`: the same answers, to the bit, on real tables.

Requests come with one row and with many, so that a gateway asks its model about other numbers of rows than `score`.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from tests.batch.bundles import model_of, write
from tests.batch.released import release
from tests.gateway.command import running

from setpoint.facts.training import Feature
from setpoint.training.frame import frame_of
from setpoint.wiring.offline import open_offline
from setpoint.wiring.scoring import ScoreWish, score_file

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
ROWS = 300

TABLES = {
    "telco_churn/Telco-Customer-Churn.csv": ("Churn", "binary", ("customerID",)),
    "wine_quality/wine-quality.csv": ("quality", "multiclass", ()),
    "bike_sharing/hour.csv": ("cnt", "regression", ("instant", "casual", "registered", "dteday")),
    "german_credit/german.csv": ("credit", "binary", ()),
}
CASES = [
    ("telco_churn/Telco-Customer-Churn.csv", "auto", "onnx", {}),
    ("telco_churn/Telco-Customer-Churn.csv", "sklearn.linear_model.LogisticRegression", "native", {}),
    ("wine_quality/wine-quality.csv", "auto", "onnx", {}),
    ("wine_quality/wine-quality.csv", "sklearn.linear_model.LogisticRegression", "onnx", {}),
    ("wine_quality/wine-quality.csv", "sklearn.linear_model.LogisticRegression", "native", {}),
    ("bike_sharing/hour.csv", "sklearn.linear_model.Ridge", "onnx", {}),
    ("bike_sharing/hour.csv", "sklearn.linear_model.Ridge", "native", {}),
    ("german_credit/german.csv", "sklearn.ensemble.RandomForestClassifier", "onnx", {"n_estimators": 30}),
    ("german_credit/german.csv", "sklearn.neural_network.MLPClassifier", "onnx", {"tol": 1.0, "n_iter_no_change": 2}),
    ("german_credit/german.csv", "sklearn.neural_network.MLPClassifier", "native", {"tol": 1.0, "n_iter_no_change": 2}),
]  # fmt: skip


@pytest.fixture(scope="module")
def tables():
    """Each table's first rows, its features and the model that was fitted on them."""
    known = {}

    def table_of(name):
        if not (DATA / name).is_file():
            pytest.skip(f"{DATA / name} is not there")
        if name not in known:
            target, task, left_out = TABLES[name]
            table = pa.csv.read_csv(DATA / name).slice(0, 1_500)
            known[name] = (table.drop_columns([target, *left_out]), *_truth(table[target], task))
        return known[name]

    return table_of


def _truth(column, task):
    if task == "regression":
        return task, column.to_numpy().astype(float)
    if task == "multiclass":
        return task, np.array(["a", "b", "c"], object)[np.digitize(column.to_numpy(), [5.5, 6.5])]
    values = column.to_pylist()
    return task, np.array(["Yes" if one == values[0] else "No" for one in values], object)


def kind_of(column):
    if pa.types.is_integer(column.type):
        return "int"
    return "float" if pa.types.is_floating(column.type) else "category"


def as_read(row):
    """Return a row as a file of it is read: without outer blanks, and nothing where nothing is left."""
    return {
        name: (value.strip() or None) if isinstance(value, str) else value
        for name, value in row.items()
    }


def asked(gateway, rows):
    """Return answer and probability of each row, or why the gateway refuses it."""
    status, _, content = gateway.ask("/predict", {"instances": rows})
    if status == 422:
        assert len(rows) == 1
        return [
            (
                None,
                None,
                "; ".join(f"{one['column']}: {one['reason']}" for one in content["detail"]),
            )
        ]
    assert status == 200, content
    chances = content["probability"] or [None] * len(rows)
    labels = content.get("label") or content["prediction"]
    return [(label, chance, None) for label, chance in zip(labels, chances, strict=True)]


@pytest.mark.parametrize(("name", "estimator", "runtime", "params"), CASES)
def test_score_answers_as_the_gateway_does(
    tables, name, estimator, runtime, params, tmp_path, monkeypatch
):
    table, task, truth = tables(name)
    features = tuple(
        Feature(name=column, kind=kind_of(table[column]), high=_high(table[column]))
        for column in table.column_names
    )
    made = model_of(
        estimator, task, features=features, frame=frame_of(table, features), truth=truth, **params
    )
    write(tmp_path / "bundle", made, runtime)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SETPOINT_STORE", str(tmp_path / ".setpoint"))
    release(tmp_path, {1: tmp_path / "bundle"})
    rows = broken(table.slice(0, ROWS), features)
    pa.parquet.write_table(rows, "rows.parquet")
    pa.csv.write_csv(rows, "rows.csv")
    found = {
        kind: scored(tmp_path, f"rows.{kind}", part)
        for kind, part in (("parquet", 97), ("csv", 1_000))
    }
    assert found["csv"] == found["parquet"]
    with running("--bundle", "bundle", "--native", cwd=tmp_path) as gateway:
        gateway.until_ready()
        rows = [as_read(row) for row in rows.to_pylist()]
        alone = [one for row in rows[:60] for one in asked(gateway, [row])]
        sound = [at for at in range(ROWS) if found["csv"][at][2] is None]
        crowd = {
            at: one
            for size in (7, 64)
            for start in range(0, len(sound), size)
            for at, one in zip(
                sound[start : start + size],
                asked(gateway, [rows[at] for at in sound[start : start + size]]),
                strict=True,
            )
        }
    assert alone == found["csv"][:60]
    assert crowd == {at: found["csv"][at] for at in sound}
    assert 0 < sum(error is not None for _, _, error in alone) < 60


def _high(column):
    return None if kind_of(column) == "category" else float(pa.compute.max(column).as_py())


def broken(table, features):
    """Return rows of which some have an impossible number, and some have nothing in a column."""
    frame = table.to_pandas()
    number = next(one for one in features if one.kind in ("int", "float"))
    frame.loc[frame.index % 29 == 3, number.name] = frame[number.name].dtype.type(number.high + 1)
    frame = frame.astype(object).where(
        ~(pd.DataFrame(np.eye(ROWS, len(features)), frame.index) > 0).to_numpy(), None
    )
    columns = [pa.array(frame[name], table[name].type) for name in table.column_names]
    return pa.table(columns, names=table.column_names)


def scored(project, name, part):
    wish = ScoreWish(name, project / f"{name}.out.parquet", part=part)
    score_file(wish, open_offline(project / "model_contract.yaml"))
    out = pa.parquet.read_table(wish.out)
    return list(
        zip(
            *(out[column].to_pylist() for column in ("prediction", "probability", "error")),
            strict=True,
        )
    )
