"""What a look at production costs with 120,000 answers since the promotion, nine tenths of them with an outcome.

One window, as `setpoint monitor` looks; and ten windows that became complete since the last pass. Twelve features, the
prediction log in SQLite. The statistics themselves are part of the figures: the last line shows what reading costs.
"""

import pickle
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa

from setpoint.adapters.bundle_scorer import BundleScorer
from setpoint.adapters.bundle_store import BundleStore
from setpoint.adapters.log.sqlite_log import SqliteLog
from setpoint.adapters.log.traffic import LogTraffic
from setpoint.clock import Axis, ManualClock
from setpoint.contract.contract import Contract
from setpoint.contract.parse import from_plain
from setpoint.control.observe import look_now, watch_windows
from setpoint.data.conform import conform
from setpoint.data.profile import WindowPlan, profile_of
from setpoint.facts.prediction import Answerer, Outcome, Prediction
from setpoint.facts.state import LoopState
from setpoint.facts.training import Feature, Recipe, TrainingJob
from setpoint.facts.version import Lineage, ModelVersion, Seen
from setpoint.training.bundle import write_bundle
from setpoint.training.estimators import fitted
from setpoint.training.model import Form

ANSWERS = 120_000
WINDOW = 2_000
WINDOWS = 10
ROUNDS = 5
GROUP = 20
"""Answers that come into the log at once, as from a gateway that is asked about a thousand times a second."""
NUMBERS, TEXTS = [f"x{i}" for i in range(8)], [f"c{i}" for i in range(4)]
BY = Answerer(model="m", version=1, contract="c", generation=1, columns=(*NUMBERS, *TEXTS))
FEATURES = tuple(Feature(name=name, kind="float") for name in NUMBERS) + tuple(
    Feature(name=name, kind="category") for name in TEXTS
)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        store = Path(name)
        rng = np.random.default_rng(7)
        artifact = put_bundle(store, rng)
        log = fill(SqliteLog(store / "log.db"), rng)
        profile = profile_of(rows(rng, 5_000), contract_of(), WindowPlan((WINDOW,), ordered=True))
        axis: Axis
        for axis in ("time", "rows"):
            traffic = LogTraffic(log, BundleScorer(store), lambda _: artifact, axis=axis)
            bundles = SimpleNamespace(profile=lambda _: profile)
            look(axis, traffic, bundles, artifact)
        log.close()


def look(axis: Axis, traffic: LogTraffic, bundles: Any, artifact: str) -> None:
    """Measure and print the looks on one axis: the n-th answer was given in the n-th second."""
    world: Any = SimpleNamespace(
        traffic=traffic,
        bundles=bundles,
        clock=ManualClock(float(ANSWERS)),
        wall_clock=True,
        looked=lambda _: None,
    )
    contract, state, now = contract_of(axis), state_of(artifact), float(ANSWERS)
    one = timed(lambda: look_now(world, contract, state))
    ten = timed(lambda: watch_windows(world, contract, state, now))
    inputs = timed(lambda: traffic.answers(1, 0.0, now))
    print(f"axis {axis}: setpoint monitor, one window of {WINDOW:,}   {one:.2f} s")
    print(f"  a pass over {WINDOWS} windows   {ten:.2f} s, {ten / WINDOWS:.2f} s a window")
    print(f"  reading all {ANSWERS:,} answers with their inputs   {inputs:.2f} s")


def contract_of(axis: Axis = "rows") -> Contract:
    """Return a contract whose labels come late."""
    unit = "s" if axis == "time" else " rows"
    columns = {name: {"type": "float"} for name in NUMBERS}
    return from_plain(
        {
            "model": {"name": "m", "task": "binary"},
            "data": {
                "source": "rows.csv",
                "target": "y",
                "positive": "Yes",
                **({"time": "t"} if axis == "time" else {}),
                "columns": columns | {name: {"type": "category"} for name in TEXTS},
            },
            "monitor": {
                "window": f"{WINDOW}{unit}",
                "performance": {"metric": "roc_auc", "drop": "5%", "label_delay": f"12000{unit}"},
            },
        }
    )


def put_bundle(store: Path, rng: np.random.Generator) -> str:
    """Release a small tree and return its artifact digest."""
    recipe = Recipe(
        estimator="sklearn.tree.DecisionTreeClassifier",
        params={"max_depth": 3},
        task="binary",
        target="y",
        positive="Yes",
        features=FEATURES,
        threshold=0.5,
        seed=1,
        time_limit_s=60.0,
        memory_limit=1 << 33,
    )
    table = rows(rng, 2_000)
    frame = table.select([*NUMBERS, *TEXTS]).to_pandas()
    model = fitted(recipe, frame, table["y"].to_numpy(zero_copy_only=False))
    made = store / "made" / "bundle"
    made.parent.mkdir()
    job = TrainingJob(key="k", model="m", contract="c", recipe=recipe, table="t", rows="r")
    form = Form("binary", FEATURES, ("No", "Yes"), 0.5)
    write_bundle(made, job, form, runtime="native", data=pickle.dumps(model), behaviour="b")
    return BundleStore(store).keep(made)


def rows(rng: np.random.Generator, count: int) -> pa.Table:
    """Return rows whose label follows from the first column."""
    columns: dict[str, Any] = {name: rng.normal(size=count) for name in NUMBERS}
    columns |= {name: rng.choice(["red", "green", "blue"], count) for name in TEXTS}
    columns["y"] = np.where(columns["x0"] + rng.normal(size=count) > 0, "Yes", "No")
    return conform(pa.table(columns), contract_of()).table


def fill(log: SqliteLog, rng: np.random.Generator) -> SqliteLog:
    """Log the answers, and the outcomes of the first nine tenths."""
    table = rows(rng, ANSWERS)
    truth = table["y"].to_pylist()
    inputs = table.select([*NUMBERS, *TEXTS]).to_pylist()
    chance = np.clip(0.5 + 0.3 * np.array([row["x0"] for row in inputs]), 0.01, 0.99).tolist()
    for start in range(0, ANSWERS, GROUP):
        log.append([prediction(n, inputs[n], chance[n]) for n in range(start, start + GROUP)])
    known = int(0.9 * ANSWERS)
    log.record([Outcome(prediction=identity(n), value=truth[n], at=0.0) for n in range(known)])
    return log


def identity(number: int) -> str:
    """Return an id of the length of a gateway's, in order of time."""
    return f"{number:010d}-0000-7000-8000-{number:012d}"


def prediction(number: int, inputs: dict[str, Any], chance: float) -> Prediction:
    """Return one line of the log."""
    return Prediction(
        by=BY,
        id=identity(number),
        at=float(number),
        variant="champion",
        propensity=1.0,
        values=tuple(inputs.values()),
        prediction="Yes" if chance > 0.5 else "No",
        probability=chance,
        latency_s=0.001,
    )


def state_of(artifact: str) -> LoopState:
    """Return the state with version 1 in production since the first answer."""
    version = ModelVersion(
        version=1,
        attempt="a-1",
        artifact=artifact,
        behaviour="",
        runtime="native",
        lineage=Lineage(snapshot="", contract=""),
        seen=Seen(by="time", table=""),
        metrics={"roc_auc": 0.8},
        intervals={"roc_auc": (0.79, 0.81)},
    )
    return LoopState(
        model="m",
        champion=1,
        versions={"1": version},
        promoted_at=0.0,
        watched=float(ANSWERS - WINDOWS * WINDOW),
    )


def timed(work: Callable[[], object]) -> float:
    """Return the median of some rounds, in seconds."""
    seconds = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds)


if __name__ == "__main__":
    main()
