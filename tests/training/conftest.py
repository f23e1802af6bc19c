"""Tables, jobs and finished trainings for the training room's tests."""

import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from setpoint.facts.training import Feature, Recipe, TrainingJob
from setpoint.training.threads import limited_threads
from setpoint.training.train import train


def mixed_table(rows: int = 600, seed: int = 0, task: str = "binary") -> pa.Table:
    """Numbers, whole numbers, truth values, categories, with missing values; null and constant columns."""
    chance = np.random.default_rng(seed)
    number = chance.normal(size=rows) * 10
    plan = np.array(["monthly", "yearly", "zweijährig"])[chance.integers(0, 3, rows)]
    whole = chance.integers(0, 9, rows)
    signal = number / 10 + (plan == "yearly") + whole / 4 + chance.normal(size=rows) / 4
    targets = {
        "binary": np.where(signal > 1.3, "Yes", "No"),
        "multiclass": np.array(["low", "mid", "top"])[np.digitize(signal, [0.8, 1.8])],
        "regression": signal * 100,
    }
    gone = chance.random(rows) < 0.1
    return pa.table(
        {
            "number": pa.array(number, mask=gone),
            "whole": pa.array(whole),
            "flag": pa.array(chance.random(rows) < 0.5),
            "plan": pa.array(plan.tolist(), mask=chance.random(rows) < 0.1),
            "city-name": pa.array([f"city {at % 97}" for at in range(rows)]),
            "void": pa.array([None] * rows, pa.float64()),
            "void_text": pa.array([None] * rows, pa.string()),
            "constant": pa.array(np.ones(rows)),
            "target": pa.array(targets[task]),
        }
    )


KINDS = {
    "number": "float",
    "whole": "int",
    "flag": "bool",
    "plan": "category",
    "city-name": "text",
    "void": "float",
    "void_text": "category",
    "constant": "float",
}


def make_job(task: str = "binary", kinds: dict[str, str] | None = None, **changes) -> TrainingJob:
    recipe = {
        "estimator": "auto",
        "params": {"max_iter": 20},
        "task": task,
        "target": "target",
        "positive": "Yes" if task == "binary" else "",
        "features": tuple(Feature(name=name, kind=kind) for name, kind in (kinds or KINDS).items()),
        "threshold": 0.5,
        "seed": 3,
        "time_limit_s": 60.0,
        "memory_limit": 10**9,
    }
    recipe |= {name: changes.pop(name) for name in list(changes) if name in recipe}
    given = {"key": "job", "model": "m", "contract": "c", "table": "t", "rows": "r"}
    return TrainingJob(recipe=Recipe(**recipe), **(given | changes))


def parts(rows: int, share: float = 0.7) -> dict[str, np.ndarray]:
    cut = int(rows * share)
    return {
        "fit": np.arange(cut),
        "validation": np.arange(0),
        "test": np.arange(cut, rows),
        "champion_unseen": np.ones(rows - cut, dtype=bool),
    }


@pytest.fixture(autouse=True)
def _one_thread():
    """Threads that wait for busy cores spin; see `setpoint.training.threads`."""
    with limited_threads(1, 1, 1):
        yield


@pytest.fixture(scope="session")
def tables():
    return {task: mixed_table(task=task) for task in ("binary", "multiclass", "regression")}


@pytest.fixture
def job():
    return make_job


@pytest.fixture
def split():
    return parts


@pytest.fixture
def run(tmp_path: Path):
    """Train in this process into a folder of the test; returns the result and the folder."""
    count = iter(range(100))

    def go(job: TrainingJob, table: pa.Table, positions=None, **more):
        folder = tmp_path / f"job{next(count)}"
        folder.mkdir()
        positions = positions or parts(table.num_rows)
        return train(job, table, positions, folder, stopwatch=time.perf_counter, **more), folder

    return go
