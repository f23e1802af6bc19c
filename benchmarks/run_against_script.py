"""One pass of `setpoint run` against the bare script that it replaces, in turn, on the same table.

Both start a fresh interpreter, import what they need, fit on the same rows and log one model to MLflow on SQLite. What
must hold: run <= script + 4 s; the unchanged second pass <= 1.2 s; `--help` <= 0.2 s.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyarrow.csv

from setpoint.worlds.subscription import subscription_table

ROUNDS = 3
SCRIPT = """\
import sys
import mlflow, mlflow.sklearn
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OrdinalEncoder
rows = pd.read_csv("rows.csv").drop(columns=["customer_id", "event_time"])
X, y = rows.drop(columns="churned"), rows["churned"]
texts = [c for c in X if not pd.api.types.is_numeric_dtype(X[c])]
encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
model = Pipeline([
    ("prepare", ColumnTransformer([("texts", encode, texts)], remainder="passthrough")),
    ("model", HistGradientBoostingClassifier(random_state=7)),
])
a, b, c, d = train_test_split(X, y, test_size=0.2, random_state=7)
model.fit(a, c)
mlflow.set_tracking_uri("sqlite:///mlflow.db")
with mlflow.start_run():
    mlflow.log_metric("accuracy", model.score(b, d))
    mlflow.sklearn.log_model(model, name="model", serialization_format="cloudpickle")
"""


def main() -> None:
    """Measure and print."""
    table = subscription_table(7, rows=7000)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pyarrow.csv.write_csv(table, folder / "rows.csv")
        _setpoint(folder, "init", "project", "--from", "rows.csv", "--target", "churned")
        (folder / "script.py").write_text(SCRIPT)
        seconds: dict[str, list[float]] = {"script": [], "run": [], "again": [], "help": []}
        for _ in range(ROUNDS):
            shutil.rmtree(folder / "mlruns", ignore_errors=True)
            (folder / "mlflow.db").unlink(missing_ok=True)
            shutil.rmtree(folder / "project" / ".setpoint", ignore_errors=True)
            seconds["script"].append(_timed([sys.executable, "script.py"], folder))
            seconds["run"].append(_setpoint(folder / "project", "run", "--json"))
            seconds["again"].append(_setpoint(folder / "project", "run", "--json"))
            seconds["help"].append(_setpoint(folder, "--help"))
    middle = {what: statistics.median(found) for what, found in seconds.items()}
    print(f"bare script           {middle['script']:.2f} s (median of {ROUNDS})")
    print(f"setpoint run          {middle['run']:.2f} s, {middle['run'] - middle['script']:+.2f} s")
    print(f"unchanged second pass {middle['again']:.2f} s")
    print(f"setpoint --help       {middle['help']:.2f} s")


def _setpoint(folder: Path, *words: str) -> float:
    return _timed([sys.executable, "-m", "setpoint", *words], folder)


def _timed(command: list[str], folder: Path) -> float:
    begun = time.perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begun
