"""What `setpoint score` takes beside the loop that people write: pandas in pieces, scikit-learn, a file.

200,000 rows of 30 columns (20 numbers, 5 whole numbers, 5 categories, a tenth of the numbers missing) in Parquet and in
CSV; a forest of 100 trees, histogram boosting, and a logistic regression, each behind scikit-learn's own preparation.
The loop reads 20,000 rows, asks the pipeline once, and appends to a Parquet file: no check of a value, no version, no
log, no way to go on. `score` checks every value against the contract, asks the ONNX form, and gives every row an id;
with the log or without. The same machine, in turns, medians.
"""

import os
import pickle
import statistics
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.sql_journal import SqlJournal
from setpoint.facts.deployment import Deployed, Deployment
from setpoint.facts.state import LoopState
from setpoint.facts.training import Feature, Recipe, TrainingJob
from setpoint.facts.version import Lineage, ModelVersion, Seen
from setpoint.training.bundle import write_bundle
from setpoint.training.conversion.convert import convert
from setpoint.training.estimators import fitted
from setpoint.training.frame import frame_of
from setpoint.training.model import Form, NativeModel
from setpoint.training.together import settled
from setpoint.wiring.offline import open_offline
from setpoint.wiring.scoring import PART, ScoreWish, score_file

if TYPE_CHECKING:
    from collections.abc import Callable

ROWS = 200_000
ROUNDS = 3
MODELS = {
    "forest": ("sklearn.ensemble.RandomForestClassifier", {"n_estimators": 100, "max_depth": 8}),
    "histogram boosting": ("auto", {}),
    "logistic regression": ("sklearn.linear_model.LogisticRegression", {}),
}
FEATURES = (
    *(Feature(name=f"x{place}", kind="float", low=-100, high=100) for place in range(20)),
    *(Feature(name=f"n{place}", kind="int", low=0, high=1000) for place in range(5)),
    *(Feature(name=f"c{place}", kind="category", values=tuple("abcdef")) for place in range(5)),
)
CONTRACT = """\
model: {name: m, task: binary}
data: {source: rows.csv, target: target, key: id}
"""


def main() -> None:
    """Measure and print."""
    rng = np.random.default_rng(7)
    table = rows_of(rng, ROWS)
    here = Path.cwd()
    for name, (estimator, params) in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                model = released(Path(folder), table.slice(0, 20_000), estimator, params)
                pa.parquet.write_table(table, "rows.parquet")
                pa.csv.write_csv(table, "rows.csv")
                compare(name, model)
            finally:
                os.chdir(here)


def compare(name: str, model: Any) -> None:
    """Measure the ways in turns, and print rows a second, and how many times those of the loop that is."""
    for kind in ("parquet", "csv"):
        ways: dict[str, Callable[[], None]] = {
            "loop": lambda kind=kind: loop(model, f"rows.{kind}"),  # type: ignore[misc]
            "score": lambda kind=kind: score(f"rows.{kind}", log=True),  # type: ignore[misc]
            "score --no-log": lambda kind=kind: score(f"rows.{kind}", log=False),  # type: ignore[misc]
        }
        took: dict[str, list[float]] = {way: [] for way in ways}
        for _ in range(ROUNDS):
            for way, run in ways.items():
                started = time.perf_counter()
                run()
                took[way].append(time.perf_counter() - started)
        speed = {way: ROWS / statistics.median(times) for way, times in took.items()}
        told = ", ".join(
            f"{way} {rate:,.0f} rows/s ({rate / speed['loop']:.2f})" for way, rate in speed.items()
        )
        print(f"{name}, {kind}: {told}", flush=True)


def loop(model: Any, source: str) -> None:
    """Answer a file as people do."""
    names = [one.name for one in FEATURES]
    writer = None
    for frame in pieces(source):
        chance = model.predict_proba(frame[names])[:, 1]
        frame["prediction"] = np.where(chance >= 0.5, "Yes", "No")
        frame["probability"] = chance
        table = pa.Table.from_pandas(frame, preserve_index=False)
        writer = writer or pa.parquet.ParquetWriter("loop.parquet", table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def pieces(source: str) -> Any:
    """Return data frames of a file, as scikit-learn takes them."""
    if source.endswith(".csv"):
        yield from pd.read_csv(source, chunksize=PART)
        return
    for batch in pa.parquet.ParquetFile(source).iter_batches(batch_size=PART):
        yield batch.to_pandas()


def score(source: str, *, log: bool) -> None:
    """Answer a file as `setpoint score` does."""
    wish = ScoreWish(source, Path("score.parquet").absolute(), log=log)
    found = score_file(wish, open_offline(Path("model_contract.yaml")))
    assert found.scored == ROWS


def rows_of(rng: np.random.Generator, rows: int) -> pa.Table:
    """Return rows, of which a tenth of the numbers is missing."""
    columns: dict[str, Any] = {"id": [f"c{number}" for number in range(rows)]}
    for one in FEATURES:
        if one.kind == "float":
            columns[one.name] = pa.array(rng.normal(size=rows), mask=rng.random(rows) < 0.1)
        elif one.kind == "int":
            columns[one.name] = rng.integers(0, 1000, rows)
        else:
            columns[one.name] = rng.choice(np.array(list("abcdef"), object), rows)
    return pa.table(columns)


def released(folder: Path, table: pa.Table, estimator: str, params: dict[str, Any]) -> Any:
    """Fit a model, release it in a folder, and return it as scikit-learn has it."""
    frame = frame_of(table, FEATURES)
    total = np.nan_to_num(frame[[f"x{place}" for place in range(20)]].to_numpy()).sum(axis=1)
    truth = np.where(total + frame["n0"] / 100 > 5, "Yes", "No").astype(object)
    recipe = Recipe(
        estimator=estimator,
        params=params,
        task="binary",
        target="target",
        positive="Yes",
        features=FEATURES,
        threshold=0.5,
        seed=7,
        time_limit_s=600,
        memory_limit=1 << 34,
    )
    form = Form("binary", FEATURES, ("No", "Yes"), threshold=0.5)
    native = NativeModel(fitted(recipe, frame, truth), form)
    sample = frame.head(400)
    made = convert(native, sample, native.answer(sample), frame)
    assert made.model is not None, made.reason
    converted = settled(made.model, sample)
    job = TrainingJob(
        key="k", model="m", contract="c", recipe=recipe, table="t", rows="r", key_column="id"
    )
    write_bundle(
        folder / "bundle", job, converted.form, runtime="onnx", data=made.data, behaviour="b"
    )
    deploy(folder)
    return pickle.loads(pickle.dumps(native.estimator))  # noqa: S301 (its own)


def deploy(folder: Path) -> None:
    """Write the state of a project whose one version has all traffic."""
    artifact = BundleStore(folder / ".setpoint").keep(folder / "bundle")
    version = ModelVersion(
        version=1,
        attempt="a",
        artifact=artifact,
        behaviour="b",
        runtime="onnx",
        lineage=Lineage(snapshot="s", contract="c"),
        seen=Seen(by="hash", table="t"),
        label_shares={},
    )
    document = Deployment(
        model="m",
        generation=1,
        contract="c",
        prepare=(Deployed(version=1, bundle=artifact, artifact=artifact),),
        weights={"1": 1.0},
        champion=1,
    )
    state = LoopState(
        model="m", champion=1, versions={"1": version}, deployment=document, generation=1
    )
    SqlJournal(folder / ".setpoint" / "state.db", "m").commit(0, state, ())
    (folder / "model_contract.yaml").write_text(CONTRACT)


if __name__ == "__main__":
    main()
