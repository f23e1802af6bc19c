"""On real tables ONNX answers the same class and the same number; `benchmarks/conversion.py` asks about all rows."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import pytest

from setpoint.facts.training import Feature, Recipe
from setpoint.training.conversion.convert import convert
from setpoint.training.conversion.parity import ROWS_FOR_ONE, TOLERANCE
from setpoint.training.estimators import fitted
from setpoint.training.frame import frame_of
from setpoint.training.labels import natural_labels, ordered_classes
from setpoint.training.model import Form, NativeModel

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
ROWS = 1500  # of each table
SAME = 1 - 1 / ROWS_FOR_ONE


@dataclass(frozen=True)
class DataSet:
    file: str
    target: str
    task: str
    left_out: tuple[str, ...] = ()
    separator: str = ","
    encoding: str = "utf8"
    names: tuple[str, ...] = ()
    derived: Callable[[pa.Table], pa.ChunkedArray] | None = None


def large_tip(table):
    return pc.greater(table.column("tips"), pc.multiply(table.column("fare"), 0.2))


SETS = {
    "elec2": DataSet("elec.csv.gz", "class", "binary"),
    "noaa_weather": DataSet("weather.csv", "target", "binary"),
    "telco_churn": DataSet("Telco-Customer-Churn.csv", "Churn", "binary", ("customerID",)),
    "adult": DataSet("adult.parquet", "class", "binary"),
    "compas": DataSet(
        "compas-scores-two-years.csv",
        "two_year_recid",
        "binary",
        ("is_recid", "end", "event", "c_jail_in", "c_jail_out", "r_jail_in", "r_jail_out"),
    ),
    "german_credit": DataSet("german.csv", "credit", "binary"),
    "bank_marketing": DataSet(
        "bank-additional-full.csv.gz", "y", "binary", ("duration",), separator=";"
    ),
    "bike_sharing": DataSet("hour.csv", "cnt", "regression", ("instant", "casual", "registered")),
    "seoul_bike": DataSet(
        "SeoulBikeData.csv", "Rented Bike Count", "regression", ("Date",), encoding="cp1252"
    ),
    "beijing_pm25": DataSet("PRSA_data_2010.1.1-2014.12.31.csv", "pm2.5", "regression", ("No",)),
    "appliances_energy": DataSet("energydata_complete.csv.gz", "Appliances", "regression"),
    "chicago_taxi": DataSet("data.csv", "tips", "binary", derived=large_tip),
    "california_nannyml": DataSet(
        "california_housing_reference.csv", "clf_target", "binary", ("y_pred_proba", "y_pred")
    ),
    "feast_driver_stats": DataSet("driver_stats.parquet", "conv_rate", "regression"),
    "feast_credit_scoring": DataSet("my_training_ds.parquet", "loan_status", "binary"),
    "wine_quality": DataSet("wine-quality.csv", "quality", "multiclass"),
    "occupancy": DataSet(
        "datatraining.txt",
        "Occupancy",
        "binary",
        ("row",),
        names=("row", "date", "Temperature", "Humidity", "Light", "CO2", "Ratio", "Occupancy"),
    ),
}

ESTIMATORS = {
    "auto": {"binary": "auto", "multiclass": "auto", "regression": "auto"},
    "forest": {
        "binary": "sklearn.ensemble.RandomForestClassifier",
        "multiclass": "sklearn.ensemble.RandomForestClassifier",
        "regression": "sklearn.ensemble.RandomForestRegressor",
    },
    "linear": {
        "binary": "sklearn.linear_model.LogisticRegression",
        "multiclass": "sklearn.linear_model.LogisticRegression",
        "regression": "sklearn.linear_model.Ridge",
    },
    "lightgbm": {
        "binary": "lightgbm.LGBMClassifier",
        "multiclass": "lightgbm.LGBMClassifier",
        "regression": "lightgbm.LGBMRegressor",
    },
    "xgboost": {
        "binary": "xgboost.XGBClassifier",
        "multiclass": "xgboost.XGBClassifier",
        "regression": "xgboost.XGBRegressor",
    },
    "catboost": {
        "binary": "catboost.CatBoostClassifier",
        "multiclass": "catboost.CatBoostClassifier",
        "regression": "catboost.CatBoostRegressor",
    },
}


def read(name):
    """Return a table and the kinds of its input columns."""
    one = SETS[name]
    path = DATA / name / one.file
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    if path.suffix == ".parquet":
        table = pa.parquet.read_table(path)
    else:
        convert = pa.csv.ConvertOptions(null_values=["", " ", "NA"], strings_can_be_null=True)
        parse = pa.csv.ParseOptions(delimiter=one.separator)
        reading = pa.csv.ReadOptions(
            encoding=one.encoding,
            column_names=list(one.names) or None,
            skip_rows=1 if one.names else 0,
        )
        table = pa.csv.read_csv(
            path, read_options=reading, parse_options=parse, convert_options=convert
        )
    table = table.filter(pc.is_valid(table.column(one.target)))
    if one.derived:
        table = table.filter(pc.is_valid(one.derived(table)))
    kinds, columns = {}, {}
    for field in table.schema:
        kind = kind_of(field.type)
        if field.name not in (one.target, *one.left_out) and kind:
            kinds[field.name] = kind
            columns[field.name] = table.column(field.name)
            if kind == "category":
                columns[field.name] = columns[field.name].cast(pa.string())
    target = one.derived(table) if one.derived else table.column(one.target)
    if pa.types.is_dictionary(target.type):
        target = target.cast(pa.string())
    return pa.table(columns | {"target": target}), kinds


def kind_of(declared):
    if pa.types.is_floating(declared):
        return "float"
    if pa.types.is_integer(declared):
        return "int"
    if pa.types.is_boolean(declared):
        return "bool"
    if pa.types.is_string(declared) or pa.types.is_dictionary(declared):
        return "category"
    return ""  # dates, and columns without any value


def trained(name, estimator, params, rows=None):
    """Return a model that was fitted on most rows, the frame of all rows, and which were fitted."""
    table, kinds = read(name)
    chance = np.random.default_rng(0)
    order = chance.permutation(table.num_rows)[:rows]
    table = table.take(pa.array(np.sort(order)))
    task = SETS[name].task
    features = tuple(Feature(name=column, kind=kind) for column, kind in kinds.items())
    frame = frame_of(table, features)
    fit = chance.random(len(frame)) < 0.7
    if task == "regression":
        labels = table.column("target").cast(pa.float64()).to_numpy()
        classes = ()
    else:
        labels = natural_labels(table.column("target"))
        fit |= ~np.isin(labels, labels[fit])  # every class is learnt
        classes = ordered_classes(labels[fit], task, "")
    recipe = Recipe(
        estimator=ESTIMATORS[estimator][task],
        params=params,
        task=task,
        target="target",
        positive="",
        features=features,
        threshold=0.5,
        seed=0,
        time_limit_s=60.0,
        memory_limit=10**9,
    )
    native = NativeModel(
        fitted(recipe, frame[fit], labels[fit]), Form(task, features, classes, 0.5)
    )
    return native, frame, fit


def parity(native, frame, fit):
    """Return the reason for staying native, the share of rows with the same class, and the largest difference.

    Differences of values are shares of their size, or of the answers' spread where that is larger.
    """
    answers = native.answer(frame)
    done = convert(native, frame[~fit], native.answer(frame[~fit]), frame[fit])
    if done.reason:
        return done.reason, 0.0, np.inf
    given = done.model.answer(frame)
    if answers.value.size:
        size = np.maximum(np.abs(answers.value), np.std(answers.value))
        return "", 1.0, float((np.abs(answers.value - given.value) / size).max())
    same = float(np.mean(answers.label == given.label))
    return "", same, float(np.abs(answers.probability - given.probability).max())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("name", SETS)
def test_real_tables_are_answered_the_same(name):
    few = {
        "auto": {"max_iter": 15},
        "forest": {"n_estimators": 15},
        "linear": {},
        "lightgbm": {"n_estimators": 15},
        "xgboost": {"n_estimators": 15},
        "catboost": {"iterations": 15},
    }
    for estimator, params in few.items():
        reason, same, gap = parity(*trained(name, estimator, params, ROWS))
        assert reason == "", f"{estimator} stays native: {reason}"
        assert same >= SAME
        assert gap <= TOLERANCE
