"""What converting models to ONNX is worth, and whether the answers stay the same.

Part one: microseconds of one row, for the bare estimator in a session that takes its encoded row as one tensor (as
skl2onnx makes it), for the whole model in a session of its own, and as the gateway runs it, from a decoded row to
scores. The second should be at most 1.3 times the first; text costs more, because the bare session is given it encoded.

Part two: every open table, all rows, a model of each family: the share of rows with the same class and the largest
difference, or why the model stays native. What must hold: 99.99 % and 1e-4.

    python -m benchmarks.conversion [speed | parity] [TABLE ...]
"""

import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from setpoint.facts.training import Feature
from setpoint.gateway.models.runtime import OnnxRunner
from setpoint.gateway.rows.column_check import ColumnRule
from setpoint.gateway.rows.schema import RequestDocument
from setpoint.training.conversion.convert import convert
from setpoint.training.conversion.layout import Layout
from setpoint.training.conversion.session import open_session
from setpoint.training.frame import frame_of
from setpoint.training.labels import natural_labels, ordered_classes
from setpoint.training.model import Form, NativeModel
from setpoint.training.preparation import prepared

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "training"))
from test_data_sets import ESTIMATORS, SETS, parity, read, trained

CALLS, ROUNDS = 200, 60
NUMBERS = 30

Table = tuple[pd.DataFrame, Any, tuple[Feature, ...], tuple[str, ...]]


def main() -> None:
    """Print both parts, or the one that is named."""
    part, *names = sys.argv[1:] or ["both"]
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if part != "parity":
            speeds()
        if part != "speed":
            parities(names or list(SETS))


def speeds() -> None:
    """Print the microseconds of one row, measured in turn."""
    cases = {
        "forest 100 x 8, 30 numbers": (
            RandomForestClassifier(100, max_depth=8, random_state=0),
            made_up(),
        ),
        "logistic, 30 numbers": (LogisticRegression(max_iter=2000), made_up()),
        "auto, telco_churn": (HistGradientBoostingClassifier(random_state=0), real("telco_churn")),
        "auto, adult": (HistGradientBoostingClassifier(random_state=0), real("adult")),
        "logistic, telco_churn": (LogisticRegression(max_iter=2000), real("telco_churn")),
    }
    made = {name: calls(estimator, *table) for name, (estimator, table) in cases.items()}
    best = {name: [np.inf] * len(ways) for name, ways in made.items()}
    for _ in range(ROUNDS):
        for name, ways in made.items():
            best[name] = [min(*pair) for pair in zip(best[name], map(once, ways), strict=True)]
    print(f"{'one row, µs':30}{'bare':>8}{'session':>9}{'ratio':>7}{'gateway':>9}")
    for name, (bare, session, gateway) in best.items():
        print(f"{name:30}{bare:8.2f}{session:9.2f}{session / bare:7.2f}{gateway:9.2f}")


def once(call: Callable[[], object]) -> float:
    """Return the microseconds of a call."""
    started = time.perf_counter()
    for _ in range(CALLS):
        call()
    return (time.perf_counter() - started) / CALLS * 1e6


def calls(
    estimator: Any,
    frame: pd.DataFrame,
    labels: Any,
    features: tuple[Feature, ...],
    classes: tuple[str, ...],
) -> list[Callable[[], object]]:
    """Return three ways to answer one row."""
    cut = int(len(frame) * 0.7)
    pipeline = prepared(estimator, frame).fit(frame.iloc[:cut], labels[:cut])
    model = NativeModel(pipeline, Form("binary", features, classes, 0.5))
    rest = frame.iloc[cut:]
    done = convert(model, rest, model.answer(rest), frame.iloc[:cut])
    if done.reason:
        raise SystemExit(done.reason)
    row = rest.iloc[3:4]
    feed, session = Layout(features).feed(row), open_session(done.data)
    encoded = np.asarray(pipeline[:-1].transform(row), dtype=np.float32)
    kinds = [("X", FloatTensorType([None, encoded.shape[1]]))]
    graph = to_onnx(pipeline[-1], initial_types=kinds, options={"zipmap": False})
    bare = open_session(graph.SerializeToString())
    rules = tuple(ColumnRule(name=one.name, kind=one.kind) for one in features)
    document = RequestDocument(
        model="m", task="binary", classes=classes, contract="c", columns=rules
    )
    runner = OnnxRunner(done.data, document)
    rows = [tuple(None if pd.isna(value) else value for value in row.iloc[0])]
    return [
        lambda: bare.run(["probabilities"], {"X": encoded}),
        lambda: session.run(["probabilities"], feed),
        lambda: runner.run(rows),
    ]


def made_up() -> Table:
    """Return 5,000 rows of 30 numbers, 2 % of them missing."""
    chance = np.random.default_rng(0)
    block = chance.normal(size=(5000, NUMBERS))
    block[chance.random(block.shape) < 0.02] = np.nan
    score = np.nan_to_num(block[:, 0]) + np.nan_to_num(block[:, 1]) ** 2
    labels = np.where(score + chance.normal(size=len(block)) > 1, "p", "n").astype(object)
    features = tuple(Feature(name=f"c{at}", kind="float") for at in range(NUMBERS))
    names = [one.name for one in features]
    table = pa.table(dict(zip(names, block.T, strict=True)))
    return frame_of(table, features), labels, features, ("n", "p")


def real(name: str) -> Table:
    """Return an open table."""
    table, kinds = read(name)
    features = tuple(Feature(name=column, kind=kind) for column, kind in kinds.items())
    labels = natural_labels(table.column("target"))
    return frame_of(table, features), labels, features, ordered_classes(labels, "binary", "")


def parities(names: list[str]) -> None:
    """Print for each table and family how far ONNX is off."""
    print(f"\n{'all rows':22}{'family':10}{'rows':>7}{'same class':>12}{'off by':>10}")
    for name in names:
        for family in ESTIMATORS:
            native, frame, fit = trained(name, family, {})
            reason, same, gap = parity(native, frame, fit)
            told = reason or f"{same:11.4%}{gap:11.1e}"
            print(f"{name:22}{family:10}{len(frame):7}{told:>12}", flush=True)


if __name__ == "__main__":
    main()
