"""`auto` against a bare HistGradientBoosting on the same rows of real tables: never worse by more than a hair."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import mean_absolute_error, roc_auc_score

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

# file, separator, target, positive, columns left out, whether rows stand in order of time
SETS = {
    "telco_churn": ("Telco-Customer-Churn.csv", ",", "Churn", "Yes", ["customerID"], False),
    "adult": ("adult.parquet", "", "class", ">50K", [], False),
    "german_credit": ("german.csv", ",", "credit", "2", [], False),
    "bank_marketing": ("bank-additional-full.csv.gz", ";", "y", "yes", ["duration"], False),
    "bike_sharing": (
        "hour.csv",
        ",",
        "cnt",
        "",
        ["instant", "dteday", "casual", "registered"],
        True,
    ),
    "beijing_pm25": ("PRSA_data_2010.1.1-2014.12.31.csv", ",", "pm2.5", "", ["No"], True),
    "appliances_energy": ("energydata_complete.csv.gz", ",", "Appliances", "", ["date"], True),
}


def read(name):
    file, separator, target, positive, left_out, ordered = SETS[name]
    path = DATA / name / file
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    if file.endswith(".parquet"):
        table = pa.parquet.read_table(path)
    else:
        options = pa.csv.ConvertOptions(null_values=["", " ", "NA"], strings_can_be_null=True)
        parsing = pa.csv.ParseOptions(delimiter=separator)
        table = pa.csv.read_csv(path, parse_options=parsing, convert_options=options)
    kinds, columns = {}, {}
    for field in table.schema:
        if field.name in left_out:
            continue
        column = table.column(field.name)
        if field.name == target:
            columns["target"] = column.cast(pa.float64() if not positive else pa.string())
            continue
        numeric = pa.types.is_floating(field.type) or pa.types.is_integer(field.type)
        kinds[field.name] = "float" if numeric else "category"
        columns[field.name] = column if numeric else column.cast(pa.string())
    return pa.table(columns), kinds, positive, ordered


def bare(table, kinds, positive, fit, test):
    frame = table.select(list(kinds)).to_pandas()
    for name, kind in kinds.items():
        frame[name] = frame[name].astype("category" if kind == "category" else "float64")
    target = table.column("target").to_pandas()
    if positive:
        model = HistGradientBoostingClassifier(random_state=3, categorical_features="from_dtype")
        model.fit(frame.iloc[fit], target.iloc[fit] == positive)
        return roc_auc_score(
            target.iloc[test] == positive, model.predict_proba(frame.iloc[test])[:, 1]
        )
    model = HistGradientBoostingRegressor(random_state=3, categorical_features="from_dtype")
    model.fit(frame.iloc[fit], target.iloc[fit])
    return mean_absolute_error(target.iloc[test], model.predict(frame.iloc[test]))


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_auto_is_as_good_as_a_bare_histogram_boosting(name, job, run):
    table, kinds, positive, ordered = read(name)
    known = np.flatnonzero(~pd.isna(table.column("target").to_pandas()))
    order = known if ordered else np.random.default_rng(0).permutation(known)
    cut = int(len(order) * 0.7)
    fit, test = np.sort(order[:cut]), np.sort(order[cut:])
    task = "binary" if positive else "regression"
    asked = job(task, kinds, positive=positive, params={})
    result, _ = run(asked, table, {"fit": fit, "test": test})
    reference = bare(table, kinds, positive, fit, test)
    ours = result.metrics["roc_auc" if positive else "mae"]
    if positive:
        assert ours >= reference - 0.01
    else:
        assert ours <= reference * 1.02
    assert result.runtime == "onnx", result.runtime_reason
